import fc from "fast-check";
import { expect, test } from "vitest";
import { MIN_SLICES } from "../contract/limits.js";
import { PERIOD_SECONDS } from "../contract/options.js";
import { advisedPeriod, typedPeriod } from "./period.js";
import { parseDuration } from "./quantity.js";

test.each([
  [0, null],
  [0.079, null],
  [0.08, 0.01],
  [0.7, 0.01],
  [2, 0.05],
  [6, 0.1],
  [40, 1],
  [6 * 3600, 500],
])("a run of %d s: %d s", (seconds, period) => {
  expect(advisedPeriod(seconds)).toBe(period);
});

test("what is advised gives enough slices, and is typed as it is meant", () => {
  const seconds = fc.double({ min: 0.08, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(seconds, (length) => {
      const period = advisedPeriod(length)!;
      expect(period).toBeGreaterThanOrEqual(PERIOD_SECONDS.least);
      expect(length / period).toBeGreaterThanOrEqual(MIN_SLICES);
      expect(parseDuration(typedPeriod(period))).toBeCloseTo(period, 12);
    }),
  );
});
