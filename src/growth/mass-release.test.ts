import { expect, test } from "vitest";
import { type Handle, simulate } from "../../test/support/simulated-allocer.js";
import { lastMassRelease, wasFlushed } from "./mass-release.js";

test("the last slice that released most blocks above the floor is found", () => {
  expect(lastMassRelease([2, 10, 20, 4, 10, 20, 3, 8])).toBe(6);
});

test("ordinary frees are no mass release", () => {
  expect(lastMassRelease([10, 20, 15, 30, 25, 40])).toBe(-1);
  expect(lastMassRelease([5, 0, 5, 0])).toBe(-1);
  expect(lastMassRelease([])).toBe(-1);
});

/** Grows by two blocks per slice; slice 20 releases all but `kept` of those born before. */
const flushedAt20 = (kept: number) => {
  const held: Handle[] = [];
  return simulate(60, (allocer, k) => {
    held.push(allocer.alloc(10), allocer.alloc(10));
    if (k === 20) for (const block of held.splice(kept)) allocer.free(block);
  });
};

test("growth after a flush that emptied the allocer is known to be flushed", () => {
  const series = flushedAt20(2);
  expect(wasFlushed(series, series.evidence!)).toBe(true);
});

test("blocks that outlived the flush prove that it does not take everything", () => {
  const series = flushedAt20(10);
  expect(wasFlushed(series, series.evidence!)).toBe(false);
});
