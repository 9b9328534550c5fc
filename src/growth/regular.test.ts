import { expect, test } from "vitest";
import { clockworkBonus } from "./regular.js";
import { threshold } from "./thresholds.js";

const every = (gap: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i + 1) * gap);

test("events at regular times gain, more of them more, up to a limit", () => {
  expect(clockworkBonus(every(10, 5), 0, 60)).toBeGreaterThan(1.5);
  expect(clockworkBonus(every(10, 7), 0, 80)).toBeGreaterThan(clockworkBonus(every(10, 5), 0, 60));
  expect(clockworkBonus(every(10, 50), 0, 510)).toBe(threshold.clockworkMost);
});

test("four events gain nothing", () => {
  expect(clockworkBonus(every(10, 4), 0, 45)).toBe(0);
});

test("irregular events gain nothing", () => {
  expect(clockworkBonus([1, 2, 20, 22, 50, 51], 0, 60)).toBe(0);
});

test("a rhythm that stopped gains nothing", () => {
  expect(clockworkBonus(every(10, 6), 0, 60 + 1.7 * 10)).toBe(0);
});

test("a rhythm that began late gains nothing", () => {
  expect(clockworkBonus([30, 40, 50, 60, 70, 80], 0, 85)).toBe(0);
});

test("events at one moment have no rhythm", () => {
  expect(clockworkBonus([5, 5, 5, 5, 5, 5], 5, 5)).toBe(0);
});
