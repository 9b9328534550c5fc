import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "../base/testing/random-numbers.js";
import { generationShift, type Slice } from "../contract/slice.js";
import type { SegmentOwner } from "./segment-owner.js";
import { ageBucket, type FakeBlock, type FakeThread } from "./testing/fake-agent.js";
import { ages, births, oldFrees, take, target } from "./testing/owned-segment.js";

describe("slices added up", () => {
  interface Sum {
    born: number;
    bornBytes: number;
    freed: number;
    freedBytes: number;
  }

  /** Sums per (allocer, generation), whatever is counted. */
  class Ledger {
    readonly rows = new Map<string, Sum>();

    add(allocer: number, birth: number, shift: number, change: Partial<Sum>): void {
      const key = `${allocer}/${birth >>> shift}`;
      const sum = this.rows.get(key) ?? { born: 0, bornBytes: 0, freed: 0, freedBytes: 0 };
      for (const [name, value] of Object.entries(change)) sum[name as keyof Sum] += value;
      this.rows.set(key, sum);
    }

    sorted(): [string, Sum][] {
      return [...this.rows].sort(([a], [b]) => (a < b ? -1 : 1));
    }
  }

  interface Truth {
    readonly block: FakeBlock;
    readonly birth: number;
    freed: boolean;
  }

  /** A target that allocates and frees at random, each event also noted by the slow, obvious model. */
  class Model {
    readonly blocks: Truth[] = [];
    readonly ages = new Map<string, number>();
    readonly #owner: SegmentOwner;
    readonly #threads: readonly FakeThread[];
    readonly #dice: () => number;

    constructor(owner: SegmentOwner, threads: readonly FakeThread[], dice: () => number) {
      this.#owner = owner;
      this.#threads = threads;
      this.#dice = dice;
    }

    step(): void {
      const thread = this.#threads[this.#dice() % this.#threads.length]!;
      const alive = this.blocks.filter(({ freed }) => !freed);
      if (this.#dice() % 3 === 0 && alive.length > 0) {
        this.#free(thread, alive[this.#dice() % alive.length]!);
      } else {
        const block = thread.alloc(1 + (this.#dice() % 5), this.#dice());
        this.blocks.push({ block, birth: this.#now(), freed: false });
      }
    }

    /** The slice whose generation is open. */
    #now(): number {
      return this.#owner.plan.birthSliceOf(this.#owner.plan.id)!;
    }

    #free(thread: FakeThread, truth: Truth): void {
      thread.free(truth.block);
      truth.freed = true;
      const bucket = ageBucket(this.#now() - truth.birth);
      if (bucket === 0) return;
      const key = `${truth.block.allocer}/${bucket}`;
      this.ages.set(key, (this.ages.get(key) ?? 0) + 1);
    }
  }

  test("are the truth, block by block, generation by generation, however long the run", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer(),
        (slices, threadCount, seed) => {
          const cleanUp: (() => void)[] = [];
          try {
            runOnce(slices, threadCount, seed, (fn) => cleanUp.push(fn));
          } finally {
            for (const fn of cleanUp.reverse()) fn();
          }
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  });

  function runOnce(
    slices: number,
    threadCount: number,
    seed: number,
    atEnd: (fn: () => void) => void,
  ): void {
    const { agent, owner } = target(atEnd);
    for (let id = 1; id <= 5; id++) agent.issueAllocer([BigInt(id)]);
    const threads = Array.from({ length: threadCount }, () => agent.thread());
    const dice = randomNumbers(seed);
    const model = new Model(owner, threads, dice);
    const taken: Slice[] = [];
    for (let slice = 0; slice < slices; slice++) {
      for (let events = dice() % 8; events > 0; events--) model.step();
      // What happens after the reading is in the next slice, under the old generation.
      taken.push(take(owner, () => dice() % 2 && model.step()));
    }
    taken.push(take(owner));
    const shift = generationShift(slices);
    const seen = new Ledger();
    const agesSeen = new Map<string, number>();
    for (const slice of taken) {
      for (const row of births(slice))
        seen.add(row.allocer, row.birthSlice!, shift, {
          born: row.blocks!,
          bornBytes: row.bytes!,
          freed: row.frees!,
          freedBytes: row.freedBytes!,
        });
      for (const row of oldFrees(slice))
        seen.add(row.allocer, row.birthSlice!, shift, {
          freed: row.blocks!,
          freedBytes: row.bytes!,
        });
      for (const row of ages(slice)) {
        const key = `${row.allocer}/${row.bucket}`;
        agesSeen.set(key, (agesSeen.get(key) ?? 0) + row.blocks!);
      }
    }
    const truth = new Ledger();
    for (const { block, birth, freed } of model.blocks)
      truth.add(block.allocer, birth, shift, {
        born: 1,
        bornBytes: block.bytes,
        freed: freed ? 1 : 0,
        freedBytes: freed ? block.bytes : 0,
      });
    expect(seen.sorted()).toEqual(truth.sorted());
    expect(new Map([...agesSeen].sort())).toEqual(new Map([...model.ages].sort()));
    expect([owner.reader.damaged, owner.reader.approximate, owner.stalled]).toEqual([0, 0, 0]);
  }
});
