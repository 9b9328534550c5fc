import { execFileSync } from "node:child_process";
import {
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  CONTROL_OFFSET,
  controlWord,
  SLICE_OF_GEN_OFFSET,
  SLOT_OF_GEN_OFFSET,
} from "../contract/segment.js";
import { control } from "./layout.js";
import { lockPath } from "./lock-file.js";
import { type OpenSegment, openSegment } from "./open-segment.js";
import type { ProcessIdentity } from "./process.js";
import { claimSegment, type OwnerOptions, type SegmentOwner } from "./segment-owner.js";
import { FakeAgent } from "./testing/fake-agent.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

const host = (pid: number): ProcessIdentity => ({
  pid,
  startTime: 5,
  pidNamespace: 6,
  bootId: "0123abcd-0000-0000-0000-000000000000",
});
const ALIVE = () => false;
const DEAD = () => true;

interface Scene {
  readonly agent: FakeAgent;
  readonly segment: OpenSegment;
}

function scene(): Scene {
  const agent = new FakeAgent(join(temporaryDirectory(onTestFinished), "0123abcd-4711-1234"));
  const opened = openSegment(agent.path);
  if (!opened.ok) throw new Error(opened.reason.kind);
  onTestFinished(() => {
    opened.value.close();
    agent.close();
  });
  return { agent, segment: opened.value };
}

function claim(segment: OpenSegment, options: OwnerOptions = {}): SegmentOwner {
  const claimed = claimSegment(segment, { self: host(100), dead: ALIVE, ...options });
  if (!claimed.ok) throw new Error(claimed.reason.kind);
  onTestFinished(() => claimed.value.close());
  return claimed.value;
}

describe("the lease", () => {
  test("is written beside and into the segment, and given back", () => {
    const { agent, segment } = scene();
    const owner = claim(segment);
    expect(readFileSync(lockPath(agent.path), "latin1")).toBe(
      "100 5 6 0123abcd-0000-0000-0000-000000000000\n",
    );
    const u32 = (name: string) => agent.getU32(CONTROL_OFFSET + control(name));
    const u64 = (name: string) => agent.getU64(CONTROL_OFFSET + control(name));
    expect([u32("leasePid"), u32("leaseEverHeld")]).toEqual([100, 1]);
    expect([u64("leaseStartTime"), u64("leasePidNamespace")]).toEqual([5n, 6n]);
    for (let slice = 0; slice < 3; slice++) owner.takeSlice(slice, () => {});
    expect(u64("leaseHeartbeat")).toBe(3n);
    owner.close();
    owner.close();
    expect([u32("leasePid"), u32("leaseEverHeld")]).toEqual([0, 1]);
    expect(existsSync(lockPath(agent.path))).toBe(false);
    expect(owner.takeSlice(9, () => {}).ok).toBe(false);
  });

  test("of a living owner is respected, and the owner named", () => {
    const { segment } = scene();
    claim(segment);
    const second = claimSegment(segment, { self: host(200), dead: ALIVE });
    expect(second).toEqual({ ok: false, reason: { kind: "owned", pid: 100 } });
  });

  test("of a dead owner is taken over, and the dead one's slices end", () => {
    const { segment } = scene();
    const first = claim(segment);
    const second = claim(segment, { self: host(200), dead: (owner) => owner.pid === 100 });
    expect(first.takeSlice(0, () => {})).toEqual({
      ok: false,
      reason: { kind: "owned", pid: null },
    });
    expect(second.takeSlice(0, () => {}).ok).toBe(true);
    first.close();
    expect(second.takeSlice(1, () => {}).ok).toBe(true);
  });

  test("that nobody can read is nobody's to take", () => {
    const { agent, segment } = scene();
    writeFileSync(lockPath(agent.path), "");
    const claimed = claimSegment(segment, { self: host(100), dead: DEAD });
    expect(claimed).toEqual({ ok: false, reason: { kind: "owned", pid: null } });
  });

  test("that is a FIFO, or a link to an endless file, hangs nobody", () => {
    const { agent, segment } = scene();
    const path = lockPath(agent.path);
    execFileSync("mkfifo", [path]);
    const byFifo = claimSegment(segment, { self: host(100), dead: DEAD });
    expect(byFifo).toEqual({ ok: false, reason: { kind: "owned", pid: null } });
    unlinkSync(path);
    symlinkSync("/dev/zero", path);
    const byLink = claimSegment(segment, { self: host(100), dead: DEAD });
    expect(byLink).toMatchObject({ ok: false, reason: { kind: "notASegment" } });
  });

  test("goes to one of two that take over at the same time", () => {
    const { agent, segment } = scene();
    claim(segment, { self: host(1) }).close();
    writeFileSync(lockPath(agent.path), "1 5 6 0123abcd-0000-0000-0000-000000000000\n");
    // Both see the dead lock; the second wins while the first is about to move it away.
    let second: SegmentOwner | null = null;
    const first = claimSegment(segment, {
      self: host(100),
      dead: (owner) => {
        if (owner.pid !== 1) return false;
        second ??= claim(segment, { self: host(200), dead: (other) => other.pid === 1 });
        return true;
      },
    });
    expect(first).toEqual({ ok: false, reason: { kind: "owned", pid: 200 } });
    expect(readFileSync(lockPath(agent.path), "latin1")).toMatch(/^200 /);
    expect(second!.takeSlice(0, () => {}).ok).toBe(true);
  });

  test("is renewed when somebody has removed the lock, the segment, or the whole directory", () => {
    const { agent, segment } = scene();
    const owner = claim(segment);
    unlinkSync(lockPath(agent.path));
    expect(owner.takeSlice(0, () => {}).ok).toBe(true);
    expect(existsSync(lockPath(agent.path))).toBe(true);
    rmSync(dirname(agent.path), { recursive: true });
    expect(owner.takeSlice(1, () => {}).ok).toBe(true);
    owner.close();
  });

  test("is not taken of another file of the same name", () => {
    const { agent, segment } = scene();
    renameSync(agent.path, `${agent.path}.moved`);
    const other = new FakeAgent(agent.path);
    onTestFinished(() => other.close());
    const claimed = claimSegment(segment, { self: host(100) });
    expect(claimed).toEqual({ ok: false, reason: { kind: "gone" } });
    expect(existsSync(lockPath(agent.path))).toBe(false);
  });
});

describe("a generation", () => {
  test("is opened after the slice was recorded, never before", () => {
    const { agent, segment } = scene();
    const owner = claim(segment);
    const during: number[] = [];
    for (let slice = 0; slice < 4; slice++)
      owner.takeSlice(slice, () => during.push(agent.currentGeneration()));
    expect(during).toEqual([0, 1, 2, 3]);
    expect(agent.currentGeneration()).toBe(4);
    expect(agent.getU64(CONTROL_OFFSET)).toBe(controlWord(4, 0));
  });

  test("has its slot and slice written before the control word names it", () => {
    const { agent, segment } = scene();
    const writes: number[] = [];
    const owner = claim(segment, {
      write: (_fd, bytes, position) => {
        writes.push(position);
        agent.put(position, bytes);
      },
    });
    owner.takeSlice(0, () => {});
    writes.length = 0;
    owner.takeSlice(1, () => {});
    expect(writes).toEqual([
      SLOT_OF_GEN_OFFSET + 2,
      SLICE_OF_GEN_OFFSET + 8,
      CONTROL_OFFSET,
      CONTROL_OFFSET + control("leaseHeartbeat"),
    ]);
    expect([agent.slotOf(2), agent.sliceOf(2)]).toEqual([2, 2]);
  });

  test("keeps the watch epoch of the control word", () => {
    const { agent, segment } = scene();
    agent.putU64(CONTROL_OFFSET, controlWord(7, 12345));
    const owner = claim(segment);
    owner.takeSlice(0, () => {});
    expect(agent.getU64(CONTROL_OFFSET)).toBe(controlWord(8, 12345));
  });

  test("is not opened when the segment can't be written; the births then count for the last one", () => {
    const { agent, segment } = scene();
    let full = false;
    const owner = claim(segment, {
      write: (_fd, bytes, position) => {
        if (full) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
        agent.put(position, bytes);
      },
    });
    const thread = agent.thread();
    owner.takeSlice(0, () => {});
    full = true;
    for (let slice = 1; slice < 70; slice++) {
      thread.alloc(0, 1);
      expect(owner.takeSlice(slice, () => {}).ok).toBe(true);
    }
    expect([owner.stalled, agent.currentGeneration(), owner.plan.id]).toEqual([69, 1, 1]);
    full = false;
    thread.alloc(0, 1);
    const last = owner.takeSlice(70, () => {});
    if (!last.ok) throw new Error(last.reason.kind);
    expect([...last.value.births.birthSlice]).toEqual([1]);
    expect([agent.currentGeneration(), owner.plan.birthSliceOf(2)]).toEqual([2, 71]);
  });
});
