import { describe, expect, onTestFinished, test } from "vitest";
import { births, oldFrees, take, target } from "./testing/owned-segment.js";

describe("damaged counters", () => {
  test("that go back count as unchanged until they have caught up", () => {
    const { agent, segment, owner } = target(onTestFinished);
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
    const { agent, segment, owner } = target(onTestFinished);
    agent.thread().alloc(0, 1);
    take(owner);
    agent.putU64(segment.layout.lines, 0xffff_ffff_ffff_ffffn);
    expect(births(take(owner)).map(({ blocks }) => blocks)).toEqual([0]);
    expect(owner.reader.damaged).toBe(1);
  });

  test("of 32 bits may wrap", () => {
    const { agent, segment, owner } = target(onTestFinished);
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
    const { agent, segment, owner } = target(onTestFinished);
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
