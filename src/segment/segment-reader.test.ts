import { describe, expect, onTestFinished, test } from "vitest";
import { SegmentState, SHARDS_OFFSET } from "../contract/segment.js";
import { GenerationPlan } from "./generations.js";
import { header } from "./layout.js";
import type { OpenSegment } from "./open-segment.js";
import { claimSegment } from "./segment-owner.js";
import { SegmentReader } from "./segment-reader.js";
import type { FakeBlock } from "./testing/fake-agent.js";
import { ages, births, oldFrees, take, target } from "./testing/owned-segment.js";

describe("a slice", () => {
  test("holds births and frees of the same generation by allocer and birth slice", () => {
    const { agent, owner } = target(onTestFinished);
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
    const { agent, owner } = target(onTestFinished);
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
    const { agent, owner } = target(onTestFinished);
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
    const { agent, owner } = target(onTestFinished);
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
    const { agent, owner } = target(onTestFinished);
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
    const { agent, owner } = target(onTestFinished);
    agent.thread().alloc(0, 5);
    agent.setState(SegmentState.ended);
    expect(births(take(owner))).toMatchObject([{ allocer: 0, blocks: 1 }]);
    expect(owner.reader.ended).toBe(true);
  });

  test("of a reader without lease counts all as born before", () => {
    const { agent, segment, owner } = target(onTestFinished);
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
    const { agent, segment, owner } = target(onTestFinished);
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
    const { agent, segment, owner } = target(onTestFinished);
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
    const { agent, segment, owner } = target(onTestFinished);
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
    const { agent, segment, owner } = target(onTestFinished);
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
    const { agent, owner } = target(onTestFinished);
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
      const { agent, owner } = target(onTestFinished);
      take(owner);
      agent.putU32(header(field), agent.getU32(header(field)) + 64);
      const refused = { ok: false, reason: { kind: "badLayout", field } };
      expect(owner.takeSlice(1, () => {})).toEqual(refused);
      agent.putU32(header(field), agent.getU32(header(field)) - 64);
      expect(owner.takeSlice(1, () => {})).toEqual(refused);
    },
  );

  test("in a count that falls keeps what was there", () => {
    const { agent, owner } = target(onTestFinished);
    const thread = agent.thread();
    const id = agent.issueAllocer([0x1000n]);
    take(owner);
    agent.putU32(header("allocersIssued"), 1);
    thread.alloc(id, 5);
    expect(births(take(owner))).toMatchObject([{ allocer: id, blocks: 1 }]);
  });
});
