import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { LAYOUT_VERSION } from "../contract/limits.js";
import { SegmentState } from "../contract/segment.js";
import { header } from "./layout.js";
import { openSegment } from "./open-segment.js";
import { describeRefusal, type Refusal, refusalOf } from "./refusal.js";
import { FakeAgent, type FakeIdentity, SMALL } from "./testing/fake-agent.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

const NAME = "0123abcd-4711-1234";
const ROOT = 0;

function fakeAgent(identity: FakeIdentity = {}): FakeAgent {
  const agent = new FakeAgent(join(temporaryDirectory(onTestFinished), NAME), identity);
  onTestFinished(() => agent.close());
  return agent;
}

/** The refusal; a segment that opens is closed and fails the test. */
function refusal(path: string, euid?: number): Refusal {
  const opened = openSegment(path, euid === undefined ? {} : { euid });
  if (!opened.ok) return opened.reason;
  opened.value.close();
  throw new Error("the segment was believed");
}

describe("a good segment", () => {
  test("opens and says who the process is", () => {
    const agent = fakeAgent({
      runId: "run-1",
      pid: 42,
      startTime: 99,
      exe: "/bin/x",
      inheritedGen: 3,
    });
    const opened = openSegment(agent.path);
    if (!opened.ok) throw new Error(opened.reason.kind);
    onTestFinished(() => opened.value.close());
    expect(opened.value.header).toEqual({
      pid: 42,
      startTime: 99,
      pidNamespace: 4026531836,
      uid: process.geteuid?.(),
      runId: "run-1",
      bootId: "0123abcd-0000-0000-0000-000000000000",
      exe: "/bin/x",
      allocator: "/lib/libc.so.6",
      allocatorKind: 0,
      agentVersion: "0.0.test",
      inheritedGen: 3,
      ceilings: SMALL,
    });
    expect(opened.value.counts).toMatchObject({ state: SegmentState.live, allocersIssued: 1 });
    opened.value.close();
  });
});

describe("a segment is refused", () => {
  test("when there is none", () => {
    expect(refusal(join(temporaryDirectory(onTestFinished), NAME))).toEqual({ kind: "gone" });
  });

  test("when it is a symbolic link, a directory, a FIFO", () => {
    const agent = fakeAgent();
    const [link, directory, fifo] = ["link", "directory", "fifo"].map((end) => agent.path + end);
    symlinkSync(agent.path, link!);
    mkdirSync(directory!);
    execFileSync("mkfifo", [fifo!]);
    expect(refusal(link!)).toEqual({ kind: "notASegment", why: "it is a symbolic link" });
    for (const path of [directory!, fifo!])
      expect(refusal(path)).toEqual({ kind: "notASegment", why: "it is not a regular file" });
  });

  test("when it is somebody else's", () => {
    const uid = process.geteuid?.() ?? 0;
    const agent = fakeAgent();
    expect(refusal(agent.path, uid + 1)).toEqual({ kind: "wrongOwner", uid, expected: uid + 1 });
  });

  test("when root reads it and the process claims to be another user", () => {
    const uid = process.geteuid?.() ?? 0;
    const agent = fakeAgent({ uid: uid + 5 });
    expect(refusal(agent.path, ROOT)).toEqual({ kind: "wrongOwner", uid, expected: uid + 5 });
    const own = fakeAgent({ uid });
    const opened = openSegment(own.path, { euid: ROOT });
    expect(opened.ok).toBe(true);
    if (opened.ok) opened.value.close();
  });

  test("when the system refuses, with errno's name", () => {
    const error = Object.assign(new Error("no"), { code: "EACCES" });
    expect(refusalOf(error)).toEqual({ kind: "io", code: "EACCES" });
    expect(refusalOf(null)).toEqual({ kind: "io", code: "unknown" });
  });

  test("when it is too short, or something else", () => {
    const path = join(temporaryDirectory(onTestFinished), NAME);
    writeFileSync(path, "short");
    expect(refusal(path)).toEqual({ kind: "notASegment", why: "it is too short" });
    writeFileSync(path, Buffer.alloc(10_000, "not a segment"));
    expect(refusal(path)).toEqual({
      kind: "notASegment",
      why: "its first bytes are not a segment's",
    });
  });

  test("while the agent is still making it", () => {
    const path = join(temporaryDirectory(onTestFinished), NAME);
    writeFileSync(path, "");
    expect(refusal(path)).toEqual({ kind: "notReady" });
    writeFileSync(path, Buffer.alloc(40_960));
    expect(refusal(path)).toEqual({ kind: "notReady" });
    const agent = fakeAgent();
    agent.setState(SegmentState.making);
    expect(refusal(agent.path)).toEqual({ kind: "notReady" });
  });

  test("when the versions differ, and both are named", () => {
    const agent = fakeAgent();
    agent.putU32(header("layoutVersion"), 77);
    const reason = refusal(agent.path);
    expect(reason).toMatchObject({ kind: "wrongVersion", agentLayout: 77 });
    expect(describeRefusal(reason)).toBe(
      `agent 0.0.test writes layout version 77, this host reads version ${LAYOUT_VERSION}`,
    );
  });

  test("when the file is shorter than it says", () => {
    const agent = fakeAgent();
    truncateSync(agent.path, agent.layout.fileBytes - 1);
    expect(refusal(agent.path)).toEqual({ kind: "badLayout", field: "fileBytes" });
  });

  test.each([
    ["headerBytes", 4095],
    ["state", 4],
    ["pageBytes", 16384],
    ["arch", 3],
    ["maxAllocers", 0],
    ["maxAllocers", 65],
    ["maxAllocers", 2 ** 24 + 64],
    ["shardCount", 0],
    ["shardCount", 65],
    ["exclusiveShards", 5],
    ["maxModules", 4104],
    ["pid", 0],
    ["allocersIssued", 129],
    ["modulesIssued", 17],
    ["evidenceIssued", 129],
  ])("when %s is %d", (field, value) => {
    const agent = fakeAgent();
    agent.putU32(header(field), value);
    expect(refusal(agent.path)).toEqual({ kind: "badLayout", field });
  });

  test.each([
    "controlOffset",
    "slotOfGenOffset",
    "sliceOfGenOffset",
    "shardsOffset",
    "modulesOffset",
    "allocersOffset",
    "evidenceOffset",
    "linesOffset",
    "shardStride",
    "fileBytes",
  ])("when %s does not follow from the ceilings", (field) => {
    const agent = fakeAgent();
    agent.putU64(header(field), agent.getU64(header(field)) + 4096n);
    expect(refusal(agent.path)).toEqual({ kind: "badLayout", field });
  });

  test.each(["startTime", "pidNamespace"])("when %s is beyond 2^53", (field) => {
    const agent = fakeAgent();
    agent.putU64(header(field), 2n ** 60n);
    expect(refusal(agent.path)).toEqual({ kind: "badLayout", field });
  });

  test("when it claims more allocers than a host reads", () => {
    const ceilings = { maxAllocers: 2 ** 24, maxModules: 8, shardCount: 1 };
    const path = join(temporaryDirectory(onTestFinished), NAME);
    const agent = new FakeAgent(path, {}, ceilings);
    onTestFinished(() => agent.close());
    agent.putU32(header("allocersIssued"), 70_000);
    expect(refusal(path)).toEqual({ kind: "badLayout", field: "allocersIssued" });
  });
});

describe("every reason", () => {
  test("has a sentence of its own", () => {
    const reasons: Refusal[] = [
      { kind: "notASegment", why: "w" },
      { kind: "wrongVersion", agentLayout: 1, hostLayout: 2, agentVersion: "" },
      { kind: "notReady" },
      { kind: "wrongOwner", uid: 1, expected: 2 },
      { kind: "badLayout", field: "f" },
      { kind: "gone" },
      { kind: "io", code: "EACCES" },
      { kind: "io", code: "EIO" },
    ];
    const sentences = reasons.map(describeRefusal);
    expect(new Set(sentences).size).toBe(reasons.length);
    expect(sentences.every((sentence) => sentence.length > 10)).toBe(true);
  });
});
