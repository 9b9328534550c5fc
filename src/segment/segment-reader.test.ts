import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { randomNumbers } from "../base/testing/random-numbers.js";
import { SegmentState, SHARDS_OFFSET } from "../contract/segment.js";
import { generationShift, type Slice } from "../contract/slice.js";
import { GenerationPlan } from "./generations.js";
import { header } from "./layout.js";
import { type OpenSegment, openSegment } from "./open-segment.js";
import { claimSegment, type SegmentOwner } from "./segment-owner.js";
import { SegmentReader } from "./segment-reader.js";
import {
  ageBucket,
  FakeAgent,
  type FakeBlock,
  type FakeIdentity,
  type FakeThread,
} from "./testing/fake-agent.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

const NAME = "0123abcd-4711-1234";

interface Target {
  readonly agent: FakeAgent;
  readonly segment: OpenSegment;
  readonly owner: SegmentOwner;
}

/** A segment with an owner, both ended with the test. */
function target(
  identity: FakeIdentity = {},
  atEnd: (cleanUp: () => void) => void = onTestFinished,
): Target {
  const agent = new FakeAgent(join(temporaryDirectory(atEnd), NAME), identity);
  const opened = openSegment(agent.path);
  if (!opened.ok) throw new Error(opened.reason.kind);
  const claimed = claimSegment(opened.value, { residentBytes: () => 4096 });
  if (!claimed.ok) throw new Error(claimed.reason.kind);
  atEnd(() => {
    claimed.value.close();
    opened.value.close();
    agent.close();
  });
  return { agent, segment: opened.value, owner: claimed.value };
}

/** Takes a slice; `during` happens between reading and opening the next generation. */
function take(owner: SegmentOwner, during: () => void = () => {}): Slice {
  const slice = owner.takeSlice(owner.slices, during);
  if (!slice.ok) throw new Error(slice.reason.kind);
  return slice.value;
}

const births = ({ births: b }: Slice) =>
  [...b.allocer].map((allocer, row) => ({
    allocer,
    birthSlice: b.birthSlice[row],
    blocks: b.blocks[row],
    bytes: b.bytes[row],
    frees: b.frees[row],
    freedBytes: b.freedBytes[row],
  }));

const oldFrees = ({ oldFrees: o }: Slice) =>
  [...o.allocer].map((allocer, row) => ({
    allocer,
    birthSlice: o.birthSlice[row],
    blocks: o.blocks[row],
    bytes: o.bytes[row],
  }));

const ages = ({ ages: a }: Slice) =>
  [...a.allocer].map((allocer, row) => ({
    allocer,
    bucket: a.bucket[row],
    blocks: a.blocks[row],
  }));

describe("a slice", () => {
  test("holds births and frees of the same generation by allocer and birth slice", () => {
    const { agent, owner } = target();
    const id = agent.issueAllocer([0x1000n]);
    const thread = agent.thread();
    thread.alloc(id, 10);
    const first = take(owner);
    expect(first.allocers.map((info) => info.id)).toEqual([0, id]);
    expect(births(first)).toEqual([
      { allocer: id, birthSlice: 0, blocks: 1, bytes: 10, frees: 0, freedBytes: 0 },
    ]);
    const block = thread.alloc(id, 20);
    thread.alloc(id, 30);
    thread.free(block);
    const second = take(owner);
    expect(second.allocers).toEqual([]);
    expect(births(second)).toEqual([
      { allocer: id, birthSlice: 1, blocks: 2, bytes: 50, frees: 1, freedBytes: 20 },
    ]);
    expect(births(take(owner))).toEqual([]);
  });

  test("charges what a thread did before it latched to the slice before", () => {
    const { agent, owner } = target();
    const id = agent.issueAllocer([0x1000n]);
    const thread = agent.thread();
    take(owner);
    thread.alloc(id, 1);
    // Between reading slice 1 and opening generation 2.
    take(owner, () => thread.alloc(id, 2));
    thread.alloc(id, 4);
    expect(births(take(owner)).map(({ birthSlice, bytes }) => [birthSlice, bytes])).toEqual([
      [1, 2],
      [2, 4],
    ]);
  });

  test("charges an event that was cut between latch and count to the generation of its tag", () => {
    const { agent, owner } = target();
    const id = agent.issueAllocer([0x1000n]);
    const thread = agent.thread();
    take(owner);
    const turn = thread.begin();
    take(owner);
    const block = turn.alloc(id, 8);
    expect(block.generation).toBe(1);
    expect(births(take(owner))).toMatchObject([{ birthSlice: 1, blocks: 1, bytes: 8 }]);
  });

  test("holds frees of older blocks by birth slice, and their ages", () => {
    const { agent, owner } = target();
    const id = agent.issueAllocer([0x1000n]);
    const thread = agent.thread();
    const old = thread.alloc(id, 100);
    take(owner);
    const newer = thread.alloc(id, 7);
    for (let slice = 1; slice < 6; slice++) take(owner);
    agent.thread().free(old);
    thread.free(newer);
    const slice = take(owner);
    expect(slice.index).toBe(6);
    expect(births(slice)).toEqual([]);
    expect(oldFrees(slice)).toEqual([
      { allocer: id, birthSlice: 0, blocks: 1, bytes: 100 },
      { allocer: id, birthSlice: 1, blocks: 1, bytes: 7 },
    ]);
    expect(ages(slice)).toEqual([{ allocer: id, bucket: 3, blocks: 2 }]);
    expect(oldFrees(take(owner))).toEqual([]);
  });

  test("holds modules once their record is complete, overruns, losses and resident bytes", () => {
    const { agent, owner } = target();
    const late = agent.addModule("/lib/plugin.so", 0n);
    agent.addModule("/usr/bin/leaker", 0x400000n, Buffer.from("c0ffee", "hex"));
    const id = agent.issueAllocer([0x400123n, 0x400456n], { module: 2, parent: 0 });
    agent.overrun(id);
    agent.lose("unknownFrees", 3);
    const slice = take(owner);
    expect(slice.modules).toEqual([
      {
        index: 1,
        start: 0x400000n,
        end: 0x401000n,
        bias: 0x400000n,
        path: "/usr/bin/leaker",
        buildId: "c0ffee",
        loadEpoch: 0,
        flags: { agent: false, executable: false, vdso: false },
      },
    ]);
    expect(slice.allocers[id]).toEqual({
      id,
      key: [0x400123n, 0x400456n],
      parentId: null,
      moduleIndex: 1,
    });
    expect([...slice.overruns]).toEqual([[id, 1]]);
    expect(slice.losses.unknownFrees).toBe(3);
    expect(slice.residentBytes).toBe(4096);
    agent.completeModule(late, 0x7000n);
    agent.overrun(id);
    const next = take(owner);
    expect(next.modules.map((module) => module.path)).toEqual(["/lib/plugin.so"]);
    expect([...next.overruns]).toEqual([[id, 2]]);
    expect([...slice.overruns]).toEqual([[id, 1]]);
    expect(take(owner).modules).toEqual([]);
  });

  test("is the last one of a process that ended, and says so", () => {
    const { agent, owner } = target();
    agent.thread().alloc(0, 5);
    agent.setState(SegmentState.ended);
    expect(births(take(owner))).toMatchObject([{ allocer: 0, blocks: 1 }]);
    expect(owner.reader.ended).toBe(true);
  });

  test("of a reader without lease counts all as born before", () => {
    const { agent, segment, owner } = target();
    const thread = agent.thread();
    thread.alloc(0, 1);
    take(owner);
    const block = thread.alloc(0, 2);
    take(owner);
    thread.free(block);
    const slice = new SegmentReader(segment, new GenerationPlan(4095)).read(0, 0);
    if (!slice.ok) throw new Error(slice.reason.kind);
    expect(births(slice.value)).toMatchObject([{ birthSlice: 0, blocks: 2, bytes: 3, frees: 0 }]);
    expect(oldFrees(slice.value)).toMatchObject([{ birthSlice: 0, blocks: 1, bytes: 2 }]);
  });

  test("counts from its owner's first slice after the lease was taken over", () => {
    const { agent, segment, owner } = target();
    const thread = agent.thread();
    const blocks = [thread.alloc(0, 1)];
    for (let slice = 0; slice < 5; slice++) {
      take(owner);
      blocks.push(thread.alloc(0, 10));
    }
    owner.close();
    const claimed = claimSegment(segment);
    if (!claimed.ok) throw new Error(claimed.reason.kind);
    onTestFinished(() => claimed.value.close());
    const first = take(claimed.value);
    expect(births(first)).toMatchObject([{ birthSlice: 0, blocks: 6, bytes: 51 }]);
    expect(claimed.value.plan.id).toBe(6);
    blocks.push(thread.alloc(0, 100));
    take(claimed.value);
    for (const block of blocks) thread.free(block);
    const slice = take(claimed.value);
    expect(oldFrees(slice)).toEqual([
      { allocer: 0, birthSlice: 0, blocks: 6, bytes: 51 },
      { allocer: 0, birthSlice: 1, blocks: 1, bytes: 100 },
    ]);
    expect(claimed.value.reader.damaged).toBe(0);
  });
});

describe("a thread that latches while its shard is read", () => {
  /** Lets `event` happen before each of the next `times` readings of the first shard's lines. */
  function interrupt(segment: OpenSegment, times: number, event: (nth: number) => void): void {
    const readAt = segment.readAt.bind(segment);
    let nth = 0;
    segment.readAt = (into, length, position) => {
      if (position === segment.layout.lines && nth < times) event(nth++);
      return readAt(into, length, position);
    };
  }

  test("is read again, so that nothing is charged to the wrong slice", () => {
    const { agent, segment, owner } = target();
    const id = agent.issueAllocer([0x1000n]);
    const thread = agent.thread();
    take(owner);
    thread.alloc(id, 1);
    take(owner);
    interrupt(segment, 1, () => thread.alloc(id, 2));
    expect(births(take(owner))).toMatchObject([{ birthSlice: 2, bytes: 2 }]);
    expect(owner.reader.approximate).toBe(0);
  });

  test("is counted as approximate when it never rests", () => {
    const { agent, segment, owner } = target();
    const id = agent.issueAllocer([0x1000n]);
    agent.thread();
    take(owner);
    let readings = 0;
    interrupt(segment, 100, (nth) => {
      readings++;
      agent.putU64(SHARDS_OFFSET, (BigInt(nth + 1) << 24n) | 1n);
      agent.add64(segment.layout.lines + 64 * id, 1);
    });
    expect(births(take(owner))).toMatchObject([{ allocer: id, birthSlice: 1, blocks: 4 }]);
    expect(readings).toBe(4);
    expect(owner.reader.approximate).toBeGreaterThan(0);
  });
});

describe("an allocer issued while a slice is read", () => {
  test("is in the next slice, with all its events", () => {
    const { agent, segment, owner } = target();
    const thread = agent.thread();
    take(owner);
    const readAt = segment.readAt.bind(segment);
    let issued: number | null = null;
    segment.readAt = (into, length, position) => {
      const failure = readAt(into, length, position);
      if (position === 0 && issued === null) {
        issued = agent.issueAllocer([0x2000n]);
        const old: FakeBlock = { allocer: issued, bytes: 9, generation: 0 };
        thread.alloc(issued, 9);
        thread.free(old);
      }
      return failure;
    };
    const slice = take(owner);
    expect([slice.allocers, births(slice), oldFrees(slice)]).toEqual([[], [], []]);
    const next = take(owner);
    expect(next.allocers.map((info) => info.id)).toEqual([issued]);
    expect(births(next)).toMatchObject([{ allocer: issued, birthSlice: 1, blocks: 1 }]);
    expect(oldFrees(next)).toMatchObject([{ allocer: issued, birthSlice: 0, blocks: 1 }]);
  });
});

describe("an evidence record of an allocer that is not known yet", () => {
  test("is read once the allocer is", () => {
    const { agent, owner } = target();
    take(owner);
    take(owner);
    agent.addEvidence({ allocer: 1, bytes: 9, generation: 0 }, 0, 1);
    expect(oldFrees(take(owner))).toEqual([]);
    expect(agent.issueAllocer([0x1000n])).toBe(1);
    expect(oldFrees(take(owner))).toMatchObject([{ allocer: 1, birthSlice: 0, blocks: 1 }]);
  });
});

describe("a header that changes", () => {
  test.each(["magic", "maxAllocers", "pid", "linesOffset", "startTime"])(
    "in %s, written once, is refused from then on",
    (field) => {
      const { agent, owner } = target();
      take(owner);
      agent.putU32(header(field), agent.getU32(header(field)) + 64);
      const refused = { ok: false, reason: { kind: "badLayout", field } };
      expect(owner.takeSlice(1, () => {})).toEqual(refused);
      agent.putU32(header(field), agent.getU32(header(field)) - 64);
      expect(owner.takeSlice(1, () => {})).toEqual(refused);
    },
  );

  test("in a count that falls keeps what was there", () => {
    const { agent, owner } = target();
    const thread = agent.thread();
    const id = agent.issueAllocer([0x1000n]);
    take(owner);
    agent.putU32(header("allocersIssued"), 1);
    thread.alloc(id, 5);
    expect(births(take(owner))).toMatchObject([{ allocer: id, blocks: 1 }]);
  });
});

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
    const { agent, owner } = target({}, atEnd);
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

describe("damaged counters", () => {
  test("that go back count as unchanged until they have caught up", () => {
    const { agent, segment, owner } = target();
    const thread = agent.thread();
    for (let i = 0; i < 5; i++) thread.alloc(0, 1);
    take(owner);
    const allocs = segment.layout.lines;
    const value = agent.getU64(allocs);
    agent.putU64(allocs, value - 3n);
    expect(births(take(owner)).map(({ blocks }) => blocks)).toEqual([0]);
    expect(owner.reader.damaged).toBe(1);
    agent.putU64(allocs, value + 2n);
    expect(births(take(owner))).toMatchObject([{ blocks: 2 }]);
    expect(owner.reader.damaged).toBe(1);
  });

  test("that leap beyond 2^53 count as unchanged", () => {
    const { agent, segment, owner } = target();
    agent.thread().alloc(0, 1);
    take(owner);
    agent.putU64(segment.layout.lines, 0xffff_ffff_ffff_ffffn);
    expect(births(take(owner)).map(({ blocks }) => blocks)).toEqual([0]);
    expect(owner.reader.damaged).toBe(1);
  });

  test("of 32 bits may wrap", () => {
    const { agent, segment, owner } = target();
    const thread = agent.thread();
    const block = thread.alloc(0, 3);
    take(owner);
    thread.free(block);
    take(owner);
    for (const value of [0x7fff_ffff, 0xffff_fffe]) {
      agent.putU32(segment.layout.evidence, value);
      take(owner);
    }
    agent.putU32(segment.layout.evidence, 1);
    expect(oldFrees(take(owner))).toMatchObject([{ birthSlice: 0, blocks: 3 }]);
    expect(owner.reader.damaged).toBe(0);
  });

  test("of 32 bits that go back count as unchanged", () => {
    const { agent, segment, owner } = target();
    const thread = agent.thread();
    const blocks = [thread.alloc(0, 3), thread.alloc(0, 3)];
    take(owner);
    for (const block of blocks) thread.free(block);
    take(owner);
    agent.putU32(segment.layout.evidence, 1);
    expect(oldFrees(take(owner))).toEqual([]);
    expect(owner.reader.damaged).toBe(1);
  });
});
