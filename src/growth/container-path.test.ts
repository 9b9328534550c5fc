import { expect, test } from "vitest";
import { growsWithoutBlocks } from "./container-path.js";

const line = (from: number, to: number): number[] =>
  Array.from({ length: 40 }, (_, k) => from + ((to - from) * k) / 39);

test("bytes that grow while blocks don't are a container's", () => {
  expect(growsWithoutBlocks(line(1000, 9000), line(1, 1))).toBe(true);
});

test("bytes that grow with the blocks are not", () => {
  expect(growsWithoutBlocks(line(1000, 9000), line(10, 90))).toBe(false);
});

test("bytes that don't grow, or belong to no block, are not", () => {
  expect(growsWithoutBlocks(line(9000, 1000), line(1, 1))).toBe(false);
  expect(growsWithoutBlocks(line(1000, 9000), line(0, 0))).toBe(false);
});

test("a curve shorter than any verdict shows nothing", () => {
  expect(growsWithoutBlocks([1, 2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1, 1])).toBe(false);
});
