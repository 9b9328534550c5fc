/**
 * Test helper: a heap that is simulated block by block, gives slices as the segment reader does, and knows
 * the truth in the slowest and most obvious way.
 */
import { generationShift, type Slice } from "../../contract/slice.js";
import {
  type AgeRow,
  type BirthRow,
  makeSlice,
  type OldFreeRow,
  type SliceRows,
} from "./make-slice.js";

interface Block {
  readonly allocer: number;
  readonly bytes: number;
  readonly birth: number;
  death: number | null;
}

/** log2 bucket of an age in slices. */
const bucketOf = (age: number): number => (age === 0 ? 0 : Math.floor(Math.log2(age)) + 1);

export class HeapModel {
  readonly blocks: Block[] = [];
  readonly #named = new Set<number>();
  #slice = 0;

  /** Number of the slice that is being filled. */
  get slice(): number {
    return this.#slice;
  }

  alloc(allocer: number, bytes: number): Block {
    const block: Block = { allocer, bytes, birth: this.#slice, death: null };
    this.blocks.push(block);
    return block;
  }

  free(block: Block): void {
    block.death = this.#slice;
  }

  alive(): Block[] {
    return this.blocks.filter(({ death }) => death === null);
  }

  /** Closes the slice and says what happened in it. */
  take(more: SliceRows = {}): Slice {
    const now = this.#slice++;
    const births = new Map<number, BirthRow>();
    const oldFrees = new Map<string, OldFreeRow>();
    const ages = new Map<string, AgeRow>();
    for (const { allocer, bytes, birth, death } of this.blocks) {
      if (birth === now) {
        const [, , n, sum, freed, freedSum] = births.get(allocer) ?? [0, 0, 0, 0, 0, 0];
        const died = death === now ? 1 : 0;
        births.set(allocer, [
          allocer,
          now,
          n + 1,
          sum + bytes,
          freed + died,
          freedSum + died * bytes,
        ]);
      } else if (death === now) {
        // As the segment does: by the group of birth slices that shares a counter.
        const shift = generationShift(now);
        const group = (birth >>> shift) * 2 ** shift;
        const [, , n, sum] = oldFrees.get(`${allocer}/${group}`) ?? [0, 0, 0, 0];
        oldFrees.set(`${allocer}/${group}`, [allocer, group, n + 1, sum + bytes]);
        const bucket = bucketOf(now - birth);
        const [, , aged] = ages.get(`${allocer}/${bucket}`) ?? [0, 0, 0];
        ages.set(`${allocer}/${bucket}`, [allocer, bucket, aged + 1]);
      }
    }
    const allocers = [...births.keys()].filter((id) => !this.#named.has(id));
    for (const id of allocers) this.#named.add(id);
    return makeSlice(now, {
      births: [...births.values()],
      oldFrees: [...oldFrees.values()],
      ages: [...ages.values()],
      allocers,
      ...more,
    });
  }

  /** Live bytes, blocks and cumulative events of an allocer after a slice. */
  totals(allocer: number, slice: number) {
    const born = this.blocks.filter((b) => b.allocer === allocer && b.birth <= slice);
    const dead = born.filter(({ death }) => death !== null && death <= slice);
    const sum = (of: readonly Block[]) => of.reduce((total, { bytes }) => total + bytes, 0);
    return {
      allocs: born.length,
      frees: dead.length,
      blocks: born.length - dead.length,
      bytes: sum(born) - sum(dead),
    };
  }

  /** Births, live blocks and live bytes of an allocer by generation, after the newest slice. */
  generations(allocer: number, shift: number, count: number) {
    const rows = Array.from({ length: count }, () => ({ born: 0, alive: 0, bytes: 0 }));
    for (const block of this.blocks) {
      const row = rows[block.birth >>> shift];
      if (block.allocer !== allocer || !row) continue;
      row.born++;
      if (block.death !== null) continue;
      row.alive++;
      row.bytes += block.bytes;
    }
    return rows;
  }

  /** Frees of an allocer by age bucket. */
  ages(allocer: number, buckets: number): number[] {
    const counts = new Array<number>(buckets).fill(0);
    for (const { allocer: id, birth, death } of this.blocks)
      if (id === allocer && death !== null) counts[bucketOf(death - birth)]!++;
    return counts;
  }
}
