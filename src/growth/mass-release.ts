/** The rule of the flush: who released most of his blocks at once may do so again. */
import type { AllocerSeries, Evidence } from "../contract/verdict.js";
import type { Step } from "./finding.js";
import { generationAt } from "./generations.js";
import { threshold } from "./thresholds.js";

/** Index of the last slice at which most blocks above the allocer's floor were released; -1 if none. */
export function lastMassRelease(blocks: ArrayLike<number>): number {
  let floor = Number.POSITIVE_INFINITY;
  for (let i = 0; i < blocks.length; i++) floor = Math.min(floor, blocks[i]!);
  for (let i = blocks.length - 1; i > 0; i--) {
    const released = blocks[i - 1]! - blocks[i]!;
    const share = threshold.flushShare * (blocks[i - 1]! - floor);
    if (released >= threshold.flushBlocks && released >= share) return i;
  }
  return -1;
}

/** Whether a mass release was seen that (nearly) nothing born before it has outlived. */
export function wasFlushed(series: AllocerSeries, evidence: Evidence): boolean {
  const release = lastMassRelease(series.blocks);
  if (release < 0) return false;
  const generation = Math.max(1, generationAt(evidence, series.times[release] ?? 0));
  let outlivers = 0;
  for (let g = 1; g < generation; g++) outlivers += evidence.liveCount[g] ?? 0;
  return outlivers < threshold.flushOutlivers;
}

/** Step 4's limit: after a flush that emptied the allocer, growth is at most filling until the next one. */
export const limitByMassRelease: Step = (finding, { series }) => {
  if (series.evidence === null || finding.score <= threshold.suspectScore) return finding;
  if (!wasFlushed(series, series.evidence)) return finding;
  return { ...finding, path: "massRelease", score: threshold.suspectScore };
};
