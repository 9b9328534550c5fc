// The clock by a hand-driven time: no drift, nothing made up for, a pause that leaves no ticks behind.
import { afterEach, expect, test, vi } from "vitest";
import { realTimers, SliceClock, type Timers } from "./slice-clock.js";

afterEach(() => {
  vi.useRealTimers();
});

const DAY_MS = 86_400_000;

test("a wait longer than Node's longest timer ends when it is over, or never when cancelled", () => {
  vi.useFakeTimers();
  let calls = 0;
  realTimers.after(60 * DAY_MS, () => calls++);
  const cancel = realTimers.after(60 * DAY_MS, () => calls++);
  vi.advanceTimersByTime(30 * DAY_MS);
  cancel();
  vi.advanceTimersByTime(30 * DAY_MS - 1);
  expect(calls).toBe(0);
  vi.advanceTimersByTime(1);
  expect(calls).toBe(1);
});

/** Timers whose time moves only when told to. */
function handDriven(): Timers & { advanceTo: (ms: number, lateBy?: number) => void } {
  let nowMs = 0;
  let pending: { at: number; callback: () => void } | null = null;
  return {
    now: () => nowMs,
    after: (milliseconds, callback) => {
      const mine = { at: nowMs + milliseconds, callback };
      pending = mine;
      return () => {
        if (pending === mine) pending = null;
      };
    },
    advanceTo: (ms, lateBy = 0) => {
      while (pending !== null && pending.at <= ms) {
        const { at, callback } = pending;
        pending = null;
        nowMs = at + lateBy;
        callback();
      }
      nowMs = Math.max(nowMs, ms);
    },
  };
}

function recorded(periodSeconds: number) {
  const timers = handDriven();
  const ticks: number[] = [];
  const clock = new SliceClock(periodSeconds, () => ticks.push(timers.now()), timers);
  return { timers, ticks, clock };
}

test("ticks come at whole multiples of the period", () => {
  const { timers, ticks } = recorded(0.1);
  timers.advanceTo(350);
  expect(ticks).toEqual([100, 200, 300]);
});

test("late ticks don't move later ones", () => {
  const { timers, ticks } = recorded(0.1);
  timers.advanceTo(550, 30);
  expect(ticks).toEqual([130, 230, 330, 430, 530]);
});

test("a tick that is more than a period late is not made up for", () => {
  const { timers, ticks } = recorded(0.1);
  timers.advanceTo(100, 260);
  timers.advanceTo(500);
  expect(ticks).toEqual([360, 400, 500]);
});

test("nothing ticks while paused, and the grid stays", () => {
  const { timers, ticks, clock } = recorded(0.1);
  timers.advanceTo(200);
  clock.pause();
  timers.advanceTo(730);
  clock.resume();
  timers.advanceTo(900);
  expect(ticks).toEqual([100, 200, 800, 900]);
});

test("a stopped clock stays stopped", () => {
  const { timers, ticks, clock } = recorded(0.1);
  timers.advanceTo(100);
  clock.stop();
  clock.resume();
  timers.advanceTo(1000);
  expect(ticks).toEqual([100]);
});

test("a tick that throws is not the last one", () => {
  const timers = handDriven();
  let ticks = 0;
  new SliceClock(
    0.1,
    () => {
      ticks++;
      if (ticks === 1) throw new Error("once");
    },
    timers,
  );
  expect(() => timers.advanceTo(100)).toThrow("once");
  timers.advanceTo(300);
  expect(ticks).toBe(3);
});
