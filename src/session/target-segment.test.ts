// Finding, owning, following and removing a target's segment; this process stands for the target.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import type { Slice } from "../contract/slice.js";
import { header } from "../segment/layout.js";
import { selfIdentity, startTimeOf } from "../segment/process.js";
import { FakeAgent } from "../segment/testing/fake-agent.js";
import { temporaryDirectory } from "../segment/testing/temporary-directory.js";
import { sweep } from "./sweep.js";
import { TargetSegment } from "./target-segment.js";

const RUN = "0123456789abcdef";
const self = selfIdentity() ?? { pid: 0, startTime: 0, pidNamespace: 0, bootId: "" };

/** A segment of this process, in which some blocks are alive. */
function segment(
  directory: string,
  blocks: number,
  options: { image?: number; runId?: string } = {},
) {
  const image = options.image === undefined ? "" : `-${options.image}`;
  const path = join(directory, `0123abcd-${self.pid}-${self.startTime}${image}`);
  const agent = new FakeAgent(path, { ...self, runId: options.runId ?? RUN });
  const id = agent.issueAllocer([0x1234n]);
  const thread = agent.thread();
  for (let i = 0; i < blocks; i++) thread.alloc(id, 10);
  onTestFinished(() => agent.close());
  return agent;
}

function setUp(): { directory: string; target: TargetSegment } {
  const directory = temporaryDirectory(onTestFinished);
  const target = new TargetSegment({ pid: self.pid, runId: RUN, segmentDirectory: directory });
  ended.push(target);
  return { directory, target };
}

const ended: TargetSegment[] = [];
afterEach(() => {
  for (const target of ended.splice(0)) target.end();
});

const blocksIn = (slice: Slice | null): number =>
  slice === null ? -1 : slice.births.blocks.reduce((sum, blocks) => sum + blocks, 0);

test("a segment is found when it appears, and once", () => {
  const { directory, target } = setUp();
  expect(target.look()).toBe("unchanged");
  expect(target.take(0, () => {})).toBeNull();
  segment(directory, 3);
  expect(target.look()).toBe("fresh");
  expect(target.look()).toBe("unchanged");
  const slices: Slice[] = [];
  expect(blocksIn(target.take(0.5, (slice) => slices.push(slice)))).toBe(3);
  expect(slices.map(({ index, time }) => [index, time])).toEqual([[0, 0.5]]);
  expect(target.header?.pid).toBe(self.pid);
});

test("a segment of another run, process or start isn't looked at", () => {
  const { directory, target } = setUp();
  segment(directory, 1, { runId: "another" });
  for (const name of [`0123abcd-${self.pid + 1}-${self.startTime}`, `0123abcd-${self.pid}-1`]) {
    const agent = new FakeAgent(join(directory, name), { ...self, runId: RUN });
    onTestFinished(() => agent.close());
  }
  expect(target.look()).toBe("unchanged");
  expect(target.problem).toBeNull();
});

test("the program that replaces the last one is followed, and the old segment removed", () => {
  const { directory, target } = setUp();
  const first = segment(directory, 1);
  expect(target.look()).toBe("fresh");
  target.take(0, () => {});
  const second = segment(directory, 2, { image: 1 });
  expect(target.look()).toBe("fresh");
  expect(target.replaced).toBe(1);
  expect(blocksIn(target.take(1, () => {}))).toBe(2);
  expect([existsSync(first.path), existsSync(second.path)]).toEqual([false, true]);
});

test("an agent of another version is a problem in words, with both versions", () => {
  const { directory, target } = setUp();
  const agent = segment(directory, 1);
  agent.putU32(header("layoutVersion"), 99);
  expect(target.look()).toBe("unchanged");
  expect(target.problem?.path).toBe(agent.path);
  expect(target.problem?.why).toMatch(
    /agent 0\.0\.test writes layout version 99, this host reads version \d+/,
  );
});

test("a segment that somebody else owns is a problem that names the owner", () => {
  const { directory, target } = setUp();
  const agent = segment(directory, 1);
  // Process 1 lives as long as the machine.
  const init = `1 ${startTimeOf(1)} ${self.pidNamespace} ${self.bootId}\n`;
  writeFileSync(`${agent.path}.lock`, init);
  expect(target.look()).toBe("unchanged");
  expect(target.problem?.why).toBe("edleak with pid 1 watches it already");
});

test("a segment that breaks while it is read is a problem, and no more slices", () => {
  const { directory, target } = setUp();
  const agent = segment(directory, 1);
  target.look();
  expect(target.take(0, () => {})).not.toBeNull();
  agent.putU32(header("maxAllocers"), 0);
  expect(target.take(1, () => {})).toBeNull();
  expect(target.problem?.why).toContain("makes no sense");
  expect(target.take(2, () => {})).toBeNull();
});

test("at the end all segments of the run go, and no others", () => {
  const { directory, target } = setUp();
  segment(directory, 1);
  const other = new FakeAgent(join(directory, "0123abcd-77-88"), { ...self, runId: "other" });
  const child = new FakeAgent(join(directory, "0123abcd-78-88"), { ...self, runId: RUN });
  onTestFinished(() => {
    other.close();
    child.close();
  });
  target.look();
  target.end();
  expect(readdirSync(directory)).toEqual(["0123abcd-77-88"]);
});

test("a sweep removes a dead process's segment whose owner is dead, and nothing else", () => {
  const directory = temporaryDirectory(onTestFinished);
  const dead = { ...self, pid: 4_000_000, startTime: 1 };
  const lock = `4000001 1 ${self.pidNamespace} ${self.bootId}\n`;
  const make = (name: string, identity: typeof self, content: string | null): void => {
    const agent = new FakeAgent(join(directory, name), identity);
    onTestFinished(() => agent.close());
    if (content !== null) writeFileSync(`${agent.path}.lock`, content);
  };
  make("0123abcd-4000000-1", dead, lock);
  make("0123abcd-4000000-2", dead, null);
  make("0123abcd-4000000-3", dead, `1 ${startTimeOf(1)} ${self.pidNamespace} ${self.bootId}\n`);
  make(`0123abcd-${self.pid}-4`, self, lock);
  expect(sweep(directory)).toBe(1);
  expect(new Set(readdirSync(directory))).toEqual(
    new Set([
      "0123abcd-4000000-2",
      "0123abcd-4000000-3",
      "0123abcd-4000000-3.lock",
      `0123abcd-${self.pid}-4`,
      `0123abcd-${self.pid}-4.lock`,
    ]),
  );
});
