/** How well counts in bins agree with expected ones: negative binomial, up to a constant of the counts. */
import { threshold } from "./thresholds.js";

/**
 * ln likelihood of `counts` under the means `expected`. The negative binomial of size 40 forgives 16 %
 * of misfit per bin, so that a million blocks are not a million times as sure as one.
 */
export function logLikelihood(counts: readonly number[], expected: readonly number[]): number {
  const size = threshold.misfitSize;
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const mean = expected[i]!;
    sum += counts[i]! * Math.log(mean) - (counts[i]! + size) * Math.log1p(mean / size);
  }
  return sum;
}
