import { expect, test } from "vitest";
import type { Evidence } from "../contract/verdict.js";
import { generationAt, generationCount, youngestAged } from "./generations.js";

/** 100 slices in groups of four: generations 0 to 24, one second per slice. */
const grouped: Evidence = {
  slice: 99,
  shift: 2,
  endTimes: Array.from({ length: 25 }, (_, g) => 4 * g + 3),
  allocCount: new Array(25).fill(0),
  liveCount: new Array(25).fill(0),
  liveBytes: new Array(25).fill(0),
  ageFrees: [],
};

test("generations that have not begun don't count, however long the arrays", () => {
  expect(generationCount(grouped)).toBe(25);
  expect(generationCount({ ...grouped, liveCount: new Array(64).fill(0) })).toBe(25);
});

test("a generation is aged when the last of its slices is", () => {
  expect(youngestAged(grouped, 0)).toBe(24);
  // Generation 23 ended with slice 95, four slices before slice 99.
  expect(youngestAged(grouped, 4)).toBe(23);
  expect(youngestAged(grouped, 5)).toBe(22);
  expect(youngestAged(grouped, 500)).toBe(0);
});

test("a moment belongs to the generation that was young then", () => {
  expect(generationAt(grouped, 3)).toBe(0);
  expect(generationAt(grouped, 3.5)).toBe(1);
  expect(generationAt(grouped, 1e9)).toBe(24);
});
