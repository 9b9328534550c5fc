import fc from "fast-check";
import { expect, test } from "vitest";
import { binCount, rebin, total } from "./bins.js";

test("a shape gets 32, 16 or 8 bins while each holds two events", () => {
  expect(binCount(100, 64)).toBe(32);
  expect(binCount(100, 63)).toBe(16);
  expect(binCount(20, 64)).toBe(16);
  expect(binCount(100, 16)).toBe(8);
});

test("few events get 4 to 6 bins, fewer than four generations 3", () => {
  expect(binCount(100, 15)).toBe(6);
  expect(binCount(100, 10)).toBe(5);
  expect(binCount(100, 1)).toBe(4);
  expect(binCount(3, 1)).toBe(3);
});

test("rebin spreads an amount evenly over its interval", () => {
  expect(rebin([0, 4], [8], 4)).toEqual([2, 2, 2, 2]);
});

test("rebin follows the times of irregular slices", () => {
  // 6 in the first second, 6 in the following three: half and half by amount, not by time.
  expect(rebin([0, 1, 4], [6, 6], 2)).toEqual([8, 4]);
});

test("rebin puts everything into one bin when no time has passed", () => {
  expect(total(rebin([5, 5, 5], [1, 2], 4))).toBe(3);
});

test("rebin keeps the sum and never makes a negative bin", () => {
  const intervals = fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(intervals, fc.integer({ min: 1, max: 32 }), (rows, bins) => {
      const edges = [0];
      for (const [gap] of rows) edges.push(edges[edges.length - 1]! + gap);
      const amounts = rows.map(([, amount]) => amount);
      const out = rebin(edges, amounts, bins);
      expect(out).toHaveLength(bins);
      expect(total(out)).toBeCloseTo(total(amounts), 6);
      expect(Math.min(...out)).toBeGreaterThanOrEqual(0);
    }),
  );
});
