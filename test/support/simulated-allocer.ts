/** A simulated allocer: remembers every block, and works out series and evidence the slow, obvious way. */
import type { AllocerSeries, Evidence } from "../../src/contract/verdict.js";

interface Block {
  readonly bytes: number;
  readonly born: number;
  freed: number | null;
}

/** A handle of a live block. */
export type Handle = Block;

/** How many generations there may be before pairs of them are merged. */
const MAX_GENERATIONS = 64;

/** Age-at-free bucket: 0 for age 0, b for ages 2^(b-1) to 2^b - 1. */
const bucketOf = (age: number): number => (age === 0 ? 0 : Math.floor(Math.log2(age)) + 1);

export class SimulatedAllocer {
  readonly #blocks: Block[] = [];
  readonly #times: number[] = [];
  readonly #bytes: number[] = [];
  readonly #counts: number[] = [];
  readonly #allocs: number[] = [];
  readonly #frees: number[] = [];
  #live = 0;
  #liveBytes = 0;
  #freed = 0;

  /** Allocates a block in the slice that is about to be taken. */
  alloc(bytes: number): Handle {
    const block: Block = { bytes, born: this.#times.length, freed: null };
    this.#blocks.push(block);
    this.#live++;
    this.#liveBytes += bytes;
    return block;
  }

  free(block: Handle): void {
    if (block.freed !== null) throw new Error("freed twice");
    block.freed = this.#times.length;
    this.#freed++;
    this.#live--;
    this.#liveBytes -= block.bytes;
  }

  /** A free and an allocation, as the agent counts it. */
  realloc(block: Handle, bytes: number): Handle {
    this.free(block);
    return this.alloc(bytes);
  }

  slice(time: number = this.#times.length): void {
    this.#times.push(time);
    this.#bytes.push(this.#liveBytes);
    this.#counts.push(this.#live);
    this.#allocs.push(this.#blocks.length);
    this.#frees.push(this.#freed);
  }

  series(): AllocerSeries {
    return {
      times: [...this.#times],
      bytes: [...this.#bytes],
      blocks: [...this.#counts],
      allocs: [...this.#allocs],
      frees: [...this.#frees],
      evidence: this.#evidence(),
    };
  }

  #evidence(): Evidence {
    const slice = this.#times.length - 1;
    let shift = 0;
    while (slice >> shift >= MAX_GENERATIONS) shift++;
    const generations = (slice >> shift) + 1;
    const zeros = (): number[] => new Array<number>(generations).fill(0);
    const [allocCount, liveCount, liveBytes] = [zeros(), zeros(), zeros()];
    const ageFrees = new Array<number>(24).fill(0);
    for (const { born, freed, bytes } of this.#blocks) {
      const generation = born >> shift;
      allocCount[generation]!++;
      if (freed === null) {
        liveCount[generation]!++;
        liveBytes[generation]! += bytes;
      } else ageFrees[bucketOf(freed - born)]!++;
    }
    const endOf = (g: number): number => this.#times[Math.min(((g + 1) << shift) - 1, slice)]!;
    const endTimes = zeros().map((_, g) => endOf(g));
    return { slice, shift, endTimes, allocCount, liveCount, liveBytes, ageFrees };
  }
}

/**
 * Runs a program for a number of slices and gives the allocer's series.
 * @param step what happens before slice k is taken
 * @param time seconds of slice k, by default k
 */
export function simulate(
  slices: number,
  step: (allocer: SimulatedAllocer, k: number) => void,
  time: (k: number) => number = (k) => k,
): AllocerSeries {
  const allocer = new SimulatedAllocer();
  for (let k = 0; k < slices; k++) {
    step(allocer, k);
    allocer.slice(time(k));
  }
  return allocer.series();
}

/** Repeatable random numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A number of events with a Poisson distribution. */
export function poisson(mean: number, random: () => number): number {
  const floor = Math.exp(-mean);
  let events = -1;
  for (let product = 1; product > floor; product *= random()) events++;
  return events;
}
