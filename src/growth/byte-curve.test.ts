import { expect, test } from "vitest";
import { seededRandom } from "../../test/support/simulated-allocer.js";
import { isFilling } from "./benign-class.js";
import { judgeByteCurve } from "./byte-curve.js";
import { envelopeOf } from "./envelope.js";
import { threshold } from "./thresholds.js";

const curve = (slices: number, at: (k: number) => number): number[] =>
  Array.from({ length: slices }, (_, k) => at(k));
const seconds = (slices: number): number[] => curve(slices, (k) => k);

test("the envelope is what is never given back", () => {
  expect(envelopeOf([5, 9, 3, 7, 4, 8])).toEqual({
    steps: [0, 0, 1, 0, 4],
    growth: 5,
    drawdown: 6,
  });
  expect(envelopeOf([])).toEqual({ steps: [], growth: 0, drawdown: 0 });
});

test("a curve that rises with every slice leaks, at the rate at which it rises", () => {
  const judged = judgeByteCurve(
    seconds(60),
    curve(60, (k) => 1000 + 64 * k),
  );
  expect(judged.score).toBeGreaterThan(threshold.likelyScore);
  expect(judged).toMatchObject({ path: "container", class: "linear" });
  expect(judged.rate.rate).toBeCloseTo(64, 9);
  expect(judged.growth).toMatchObject({ bytes: 59 * 64, events: 54, generations: 54 });
});

test("a rising curve under noise larger than its growth is not believed", () => {
  const random = seededRandom(7);
  const noisy = curve(60, (k) => 100_000 * random() + 64 * k);
  expect(judgeByteCurve(seconds(60), noisy).score).toBeLessThanOrEqual(threshold.suspectScore);
});

test("a curve that never rises for good scores nothing", () => {
  const flat = curve(60, (k) => 1000 + (k % 2) * 500);
  expect(judgeByteCurve(seconds(60), flat).score).toBe(threshold.noEnvelopeScore);
});

test("too short a curve scores nothing", () => {
  expect(judgeByteCurve([0, 1, 2], [1, 2, 3]).score).toBe(threshold.noEnvelopeScore);
});

test("permanent growth in several steps is filling", () => {
  expect(isFilling(curve(60, (k) => 1000 * (1 - Math.exp(-k / 10))))).toBe(true);
});

test("one jump, a swing, and nothing at all are not filling", () => {
  expect(isFilling(curve(60, (k) => (k < 20 ? 0 : 1000)))).toBe(false);
  expect(isFilling(curve(60, (k) => 1000 * Math.sin((k * Math.PI) / 60)))).toBe(false);
  expect(isFilling(curve(60, () => 4096))).toBe(false);
  expect(isFilling([])).toBe(false);
});
