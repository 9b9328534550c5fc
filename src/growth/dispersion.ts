/** How much clumsier than single independent births the counts are: the unit in which growth is counted. */
import { total } from "./bins.js";
import { threshold } from "./thresholds.js";

/**
 * Variance over mean of the counts, from differences between neighbours, so that a trend doesn't count
 * as noise. (v[i+1] - v[i])^2 / (v[i+1] + v[i]) is 1 on average for a Poisson process.
 */
export function neighbourNoise(bins: readonly number[], from: number): number[] {
  const noise: number[] = [];
  for (let i = from; i < bins.length - 1; i++) {
    const sum = bins[i]! + bins[i + 1]!;
    const difference = bins[i + 1]! - bins[i]!;
    if (sum > 0) noise.push((difference * difference) / sum);
  }
  return noise;
}

/**
 * Variance over mean of the bins, by the later half (start-up is no measure of noise), with a prior of 1.
 * `events` and `density` are those of the generations behind the bins; few births come in clumps.
 */
export function dispersionOf(bins: readonly number[], events: number, density: number): number {
  const { dispersionMinBins, dispersionPrior, dispersionFloor } = threshold;
  let noise = neighbourNoise(bins, (bins.length - 1) >> 1);
  if (noise.length < dispersionMinBins) noise = neighbourNoise(bins, 0);
  const { sum, count } = withoutJumps(noise);
  const fitted = Math.max(dispersionFloor, (sum + dispersionPrior) / (count + dispersionPrior));
  if (events <= 0 || density >= threshold.sparseDensity) return fitted;
  return Math.max(fitted, total(bins) / (threshold.sparseClump * events));
}

/** Where there are enough of them, the two largest are steps of the process, not its noise. */
function withoutJumps(noise: readonly number[]): { sum: number; count: number } {
  const sum = total(noise);
  if (noise.length < threshold.dispersionTrimFrom) return { sum, count: noise.length };
  let most = 0;
  let second = 0;
  for (const value of noise) {
    if (value > most) {
      second = most;
      most = value;
    } else if (value > second) second = value;
  }
  return { sum: sum - most - second, count: noise.length - 2 };
}
