import { expect, test } from "vitest";
import { poisson, seededRandom } from "../../test/support/simulated-allocer.js";
import { NO_RATE, rateOf } from "./rate.js";
import { studentT95 } from "./special-functions.js";

test("the rate is the mean over the window", () => {
  const { rate } = rateOf([100, 300, 200, 200], [1, 3, 2, 2], 0, 8);
  expect(rate).toBe(100);
});

test("the rate is that of the part that leaks", () => {
  expect(rateOf([900, 0, 100, 100], [9, 0, 1, 1], 0.5, 4).rate).toBe(100);
});

test("the interval is Student's t over the bins where they disagree", () => {
  const bytes = [100, 300, 200, 200];
  const sd = Math.sqrt((100 ** 2 + 100 ** 2) / 3);
  const { rateLow, rateHigh } = rateOf(bytes, [1e9, 1e9, 1e9, 1e9], 0, 4);
  expect(rateHigh - 200).toBeCloseTo((studentT95(3) * sd) / 2, 9);
  expect(200 - rateLow).toBeCloseTo(rateHigh - 200, 9);
});

test("bins that agree are trusted no more than their number of blocks allows", () => {
  const { rateLow, rateHigh } = rateOf([400, 400, 400, 400], [4, 4, 4, 4], 0, 4);
  const half = (studentT95(3) * 400 * Math.sqrt(0.25 / 4)) / 2;
  expect(rateHigh).toBeCloseTo(400 + half, 9);
  expect(rateLow).toBeCloseTo(400 - half, 9);
});

test("the lower end is never below zero", () => {
  expect(rateOf([0, 1000, 0, 0], [0, 1, 0, 0], 0, 4).rateLow).toBe(0);
});

test("no growth, or no time, is no rate", () => {
  expect(rateOf([0, 0, 0], [0, 0, 0], 0, 3)).toEqual(NO_RATE);
  expect(rateOf([1, 1, 1], [1, 1, 1], 0, 0)).toEqual(NO_RATE);
});

test("the interval of random leaks holds the true rate in 93 to 97 of 100 cases", () => {
  const random = seededRandom(20);
  const [bins, perBin, blockBytes, cases] = [16, 6, 100, 2000];
  let held = 0;
  for (let i = 0; i < cases; i++) {
    const blocks = Array.from({ length: bins }, () => poisson(perBin, random));
    const bytes = blocks.map((count) => count * blockBytes);
    const { rateLow, rateHigh } = rateOf(bytes, blocks, 0, bins);
    if (rateLow <= perBin * blockBytes && perBin * blockBytes <= rateHigh) held++;
  }
  expect(held / cases).toBeGreaterThan(0.93);
  expect(held / cases).toBeLessThan(0.97);
});
