import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  isDead,
  type ProcessIdentity,
  parseStartTime,
  residentBytesOf,
  selfIdentity,
  startTimeOf,
} from "./process.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

const stat = (pid: number, name: string, startTime: number) =>
  `${pid} (${name}) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 ${startTime} 1000 200\n`;

/** A /proc with one process; a pid that no real process can have. */
function fakeProc(pid: number, startTime: number, namespace = 77): string {
  const proc = temporaryDirectory(onTestFinished);
  for (const id of [String(pid), "self"]) {
    mkdirSync(join(proc, id, "ns"), { recursive: true });
    writeFileSync(join(proc, id, "stat"), stat(pid, "a) b (c", startTime));
    symlinkSync(`pid:[${namespace}]`, join(proc, id, "ns/pid"));
  }
  writeFileSync(join(proc, String(pid), "status"), "Name:\tx\nVmRSS:\t    1234 kB\n");
  mkdirSync(join(proc, "sys/kernel/random"), { recursive: true });
  writeFileSync(join(proc, "sys/kernel/random/boot_id"), "0123abcd-1\n");
  return proc;
}

const PID = 4_194_400; // beyond the largest pid_max
const identity = (change: Partial<ProcessIdentity> = {}): ProcessIdentity => ({
  pid: PID,
  startTime: 500,
  pidNamespace: 77,
  bootId: "0123abcd-1",
  ...change,
});

describe("start time", () => {
  test("is field 22 whatever the program's name holds", () => {
    expect(parseStartTime(stat(1, "a) S 1 2 (b", 4711))).toBe(4711);
    expect(parseStartTime("1 (x) S 1")).toBeNull();
    expect(parseStartTime("")).toBeNull();
    expect(startTimeOf(PID, fakeProc(PID, 12))).toBe(12);
  });
});

describe("a process is dead", () => {
  test("when no process of our namespace has its pid, or that one began at another time", () => {
    const proc = fakeProc(PID, 500);
    expect(isDead(identity(), proc)).toBe(false);
    expect(isDead(identity({ startTime: 499 }), proc)).toBe(true);
    expect(isDead(identity({ pid: PID + 1 }), proc)).toBe(true);
  });

  test("when the machine has booted since", () => {
    expect(isDead(identity({ bootId: "ffffffff-1" }), fakeProc(PID, 500))).toBe(true);
  });

  test("never when it is of another pid namespace, or there is no /proc to ask", () => {
    const proc = fakeProc(PID, 500);
    expect(isDead(identity({ pid: PID + 1, pidNamespace: 78 }), proc)).toBe(false);
    expect(isDead(identity(), join(proc, "none"))).toBe(false);
  });

  test("never when /proc only hides it", () => {
    expect(isDead(identity({ pid: process.pid }), fakeProc(PID, 500))).toBe(false);
  });

  test("is not what this very process is", () => {
    const self = selfIdentity();
    expect(self?.pid).toBe(process.pid);
    expect(isDead(self!)).toBe(false);
    expect(isDead({ ...self!, startTime: self!.startTime - 1 })).toBe(true);
  });
});

describe("resident bytes", () => {
  test("are those of exactly this process", () => {
    const proc = fakeProc(PID, 500);
    expect(residentBytesOf(identity(), proc)).toBe(1234 * 1024);
    expect(residentBytesOf(identity({ startTime: 1 }), proc)).toBeNull();
    expect(residentBytesOf(identity({ pidNamespace: 1 }), proc)).toBeNull();
    expect(residentBytesOf(selfIdentity()!)).toBeGreaterThan(1024 * 1024);
  });
});
