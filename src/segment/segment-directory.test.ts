import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { lockPath } from "./lock-file.js";
import {
  checkSegmentDirectory,
  findSegments,
  removeSegment,
  segmentDirectory,
} from "./segment-directory.js";
import { FakeAgent } from "./testing/fake-agent.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

const uid = process.geteuid?.() ?? 0;

function segmentFile(directory: string, name: string, runId = ""): string {
  const agent = new FakeAgent(join(directory, name), { runId });
  agent.close();
  return agent.path;
}

describe("the directory of segments", () => {
  test("is the user's in shared memory, or what EDLEAK_DIR says", () => {
    expect(segmentDirectory(1000, {})).toBe("/dev/shm/edleak-1000");
    expect(segmentDirectory(1000, { EDLEAK_DIR: "/somewhere" })).toBe("/somewhere");
    expect(segmentDirectory(1000, { EDLEAK_DIR: "relative" })).toBe("/dev/shm/edleak-1000");
  });

  test("must be a directory of the user's that is closed to others", () => {
    const directory = temporaryDirectory(onTestFinished);
    const [inner, link, file] = ["inner", "link", "file"].map((name) => join(directory, name));
    mkdirSync(inner!, { mode: 0o700 });
    expect(checkSegmentDirectory(inner!)).toEqual({ ok: true, value: inner });
    symlinkSync(inner!, link!);
    writeFileSync(file!, "");
    const reason = (path: string, euid?: number) => {
      const checked = checkSegmentDirectory(path, euid);
      return checked.ok ? null : checked.reason;
    };
    expect(reason(link!)).toEqual({ kind: "notADirectory" });
    expect(reason(file!)).toEqual({ kind: "notADirectory" });
    expect(reason(join(directory, "none"))).toEqual({ kind: "gone" });
    expect(reason(inner!, uid + 1)).toEqual({ kind: "wrongOwner", uid, expected: uid + 1 });
    chmodSync(inner!, 0o750);
    expect(reason(inner!)).toEqual({ kind: "open", mode: 0o750 });
  });
});

describe("finding segments", () => {
  test("takes what has a segment's name, in the order the processes began", () => {
    const directory = temporaryDirectory(onTestFinished);
    segmentFile(directory, "0123abcd-20-300");
    segmentFile(directory, "0123abcd-10-300-2");
    segmentFile(directory, "0123abcd-10-300");
    segmentFile(directory, "0123abcd-30-100");
    for (const name of ["0123abcd-20-300.lock", "0123ABCD-1-2", "x", "0123abcd-1-2-3-4"])
      writeFileSync(join(directory, name), "");
    const found = findSegments(directory);
    expect(
      found.ok && found.value.map(({ pid, startTime, image }) => [pid, startTime, image]),
    ).toEqual([
      [30, 100, 0],
      [10, 300, 0],
      [10, 300, 2],
      [20, 300, 0],
    ]);
  });

  test("of a run takes those that say so, and leaves what is not ready", () => {
    const directory = temporaryDirectory(onTestFinished);
    const path = segmentFile(directory, "0123abcd-1-1", "run-a");
    segmentFile(directory, "0123abcd-2-2", "run-b");
    segmentFile(directory, "0123abcd-3-3");
    writeFileSync(join(directory, "0123abcd-4-4"), "");
    const found = findSegments(directory, "run-a");
    expect(found.ok && found.value.map((file) => file.path)).toEqual([path]);
  });

  test("in no directory, or one that is open to others, is refused", () => {
    const directory = temporaryDirectory(onTestFinished);
    expect(findSegments(join(directory, "none"))).toEqual({ ok: false, reason: { kind: "gone" } });
    chmodSync(directory, 0o755);
    expect(findSegments(directory)).toEqual({ ok: false, reason: { kind: "open", mode: 0o755 } });
  });
});

describe("removing a segment", () => {
  test("takes its lock along", () => {
    const path = segmentFile(temporaryDirectory(onTestFinished), "0123abcd-1-1");
    writeFileSync(lockPath(path), "");
    expect(removeSegment(path)).toBe(true);
    expect([existsSync(path), existsSync(lockPath(path))]).toEqual([false, false]);
    expect(removeSegment(path)).toBe(false);
  });
});
