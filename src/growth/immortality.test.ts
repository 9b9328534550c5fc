import { expect, test } from "vitest";
import { simulate } from "../../test/support/simulated-allocer.js";
import { constantShare, immortality } from "./immortality.js";
import { survivorsOf } from "./survivors.js";
import { threshold } from "./thresholds.js";

test("mature blocks of which none is ever freed are permanent, the more of them the surer", () => {
  expect(immortality(0, 10)).toBeGreaterThan(0);
  expect(immortality(0, 100)).toBeGreaterThan(immortality(0, 10));
});

test("mature blocks of which a third is freed lose more than any shape can gain", () => {
  const { gateWeight, suspectScore, maxShapeScore } = threshold;
  expect(gateWeight * immortality(50, 100)).toBeLessThan(suspectScore - maxShapeScore);
});

test("one late free in four hundred changes nothing", () => {
  expect(immortality(1, 400)).toBeGreaterThan(0);
});

test("nothing mature is no evidence either way", () => {
  expect(immortality(0, 0)).toBe(0);
});

test("the certainty is that of 400 blocks at most", () => {
  expect(immortality(4e6, 36e6)).toBeCloseTo(immortality(40, 360), 6);
});

/** 100 allocations per slice; what is alive of those of slice k after 60 slices is given. */
function survivorsWith(aliveAt: (k: number) => number) {
  const { evidence } = simulate(60, (allocer, k) => {
    for (let i = 0; i < 100; i++) {
      const block = allocer.alloc(10);
      if (i >= aliveAt(k)) allocer.free(block);
    }
  });
  return survivorsOf(evidence!, 59);
}

test("a constant share of survivors is found constant", () => {
  expect(
    constantShare(
      survivorsWith(() => 4),
      59,
    ),
  ).toBeGreaterThan(threshold.flatHandicap);
});

test("a share that falls with age is found to fall", () => {
  const young = (k: number): number => Math.round(80 * Math.exp((-4 * (60 - k)) / 60));
  expect(constantShare(survivorsWith(young), 59)).toBeLessThan(-10);
});

test("too few survivors or generations allow no such test", () => {
  expect(
    constantShare(
      survivorsWith((k) => (k === 9 ? 4 : 0)),
      59,
    ),
  ).toBe(threshold.flatUnlikely);
  expect(
    constantShare(
      survivorsWith(() => 4),
      5,
    ),
  ).toBe(threshold.flatUnlikely);
});
