/**
 * Step 5: growth without new blocks, such as one array that keeps being reallocated; also the fallback
 * where there is no evidence by generation.
 */
import { judgeByteCurve } from "./byte-curve.js";
import type { Step } from "./finding.js";
import { threshold } from "./thresholds.js";

/** Looks at the byte curve where the survivors say no, but bytes grow that the blocks don't explain. */
export const judgeContainer: Step = (finding, { series }) => {
  const { times, bytes, blocks, frees, evidence } = series;
  if (evidence === null) return { ...finding, ...judgeByteCurve(times, bytes) };
  if (finding.score >= threshold.suspectScore) return finding;
  const n = frees.length;
  const churn = (frees[n - 1] ?? 0) - (frees[n >> 1] ?? 0);
  if (churn < threshold.containerFrees || !growsWithoutBlocks(bytes, blocks)) return finding;
  const judged = judgeByteCurve(times, bytes);
  if (judged.score <= finding.score) return finding;
  if (judged.score > threshold.suspectScore) return { ...finding, ...judged };
  // Neither path sees a leak: the counts behind the verdict stay those of the survivors.
  return { ...finding, path: judged.path, score: judged.score };
};

function mean(values: ArrayLike<number>, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i] ?? 0;
  return sum / (to - from);
}

/** Whether the growth of the last half is hardly explained by a growing number of blocks. */
export function growsWithoutBlocks(bytes: ArrayLike<number>, blocks: ArrayLike<number>): boolean {
  const n = bytes.length;
  if (n < threshold.minSlices) return false;
  const half = n >> 1;
  const quarter = Math.max(1, n >> 3);
  const bytesThen = mean(bytes, half - quarter, half + quarter);
  const bytesNow = mean(bytes, n - quarter, n);
  const blocksThen = mean(blocks, half - quarter, half + quarter);
  const blocksNow = mean(blocks, n - quarter, n);
  if (bytesNow <= bytesThen || blocksThen <= 0) return false;
  const explained = (blocksNow - blocksThen) * (bytesThen / blocksThen);
  return explained < threshold.containerBlockShare * (bytesNow - bytesThen);
}
