/**
 * The rule of the balance: who leaks so many blocks has that many live blocks more.
 *
 * One caller that serves two purposes (a key space that filled early, and values that live for a while) has
 * survivors of every generation although nothing grows: older ones are freed as fast as young ones stay.
 * The specification's gate can't see that; the number of live blocks can. On the development data the
 * rule takes back one leak of 401, and redis-server's wrapper of malloc under steady load.
 */
import type { AllocerSeries, Evidence } from "../contract/verdict.js";
import type { Step } from "./finding.js";
import type { Maturity } from "./maturity.js";
import { threshold } from "./thresholds.js";

/** Blocks that should have stayed in the later half, if those that are mature are permanent. */
function expectedGrowth(evidence: Evidence, maturity: Maturity, half: number): number {
  let survivors = 0;
  let first: number | null = null;
  for (let g = 1; g <= maturity.generation; g++) {
    if ((evidence.endTimes[g] ?? 0) <= half) continue;
    first ??= evidence.endTimes[g - 1] ?? 0;
    survivors += evidence.liveCount[g] ?? 0;
  }
  const lasted = (evidence.endTimes[maturity.generation] ?? 0) - (first ?? 0);
  const end = evidence.endTimes[evidence.endTimes.length - 1] ?? 0;
  return first === null || lasted <= 0 ? 0 : (survivors * (end - first)) / lasted;
}

const mean = (values: ArrayLike<number>, from: number, to: number): number => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] ?? 0;
  return sum / Math.max(1, to - from);
};

/** Growth of the number of live blocks in the later half, and its rms step from slice to slice. */
function seenGrowth({ blocks }: AllocerSeries): { growth: number; step: number } {
  const n = blocks.length;
  const half = n >> 1;
  const width = Math.max(1, n >> 4);
  let squares = 0;
  for (let i = half + 1; i < n; i++) squares += (blocks[i]! - blocks[i - 1]!) ** 2;
  return {
    growth: mean(blocks, n - width, n) - mean(blocks, half - width, half + width),
    step: Math.sqrt(squares / Math.max(1, n - half - 1)),
  };
}

/** Growth that was seen, noise in its favour, as a share of what a leak would have brought; 1 when nothing can be said. */
export function balanceOf(series: AllocerSeries, maturity: Maturity): number {
  const { times, evidence } = series;
  if (evidence === null || times.length < threshold.minSlices) return 1;
  const half = times[times.length >> 1]!;
  const expected = expectedGrowth(evidence, maturity, half);
  if (expected < threshold.balanceBlocks) return 1;
  const { growth, step } = seenGrowth(series);
  return (growth + threshold.balanceNoise * step) / expected;
}

/** A leak whose live blocks have not grown accordingly is none. */
export const limitByBalance: Step = (finding, { series }) => {
  if (finding.maturity === null || finding.score <= threshold.suspectScore) return finding;
  if (balanceOf(series, finding.maturity) >= threshold.balanceShare) return finding;
  return { ...finding, path: "balance", score: threshold.suspectScore };
};
