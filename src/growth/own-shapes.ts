/** The two benign shapes that are fitted to the data: a few bursts anywhere, and a few runs that have ended. */
import { logLikelihood } from "./likelihood.js";
import { logChoose } from "./special-functions.js";
import type { BenignShape } from "./templates.js";
import { threshold } from "./thresholds.js";

export interface OwnShape {
  /** ln likelihood with its prior and with the price of having been fitted. */
  readonly logLikelihood: number;
  readonly shape: BenignShape;
}

/** Prior left when no own shape could be fitted. */
const IMPOSSIBLE = -1e9;

const background = (sum: number, bins: number): number[] =>
  new Array<number>(bins).fill((threshold.contamination * sum) / bins);

/** All growth in the k heaviest bins, for the best k; priced by the number of such choices. */
function bursts(counts: readonly number[], sum: number): number {
  const bins = counts.length;
  const order = Array.from(counts, (_, i) => i).sort((a, b) => counts[b]! - counts[a]!);
  let best = IMPOSSIBLE;
  for (let k = 1; k <= threshold.heaviestBins && k < bins - 1; k++) {
    const heaviest = order.slice(0, k);
    const held = heaviest.reduce((a, i) => a + counts[i]!, 0);
    const expected = background(sum, bins);
    for (const i of heaviest) {
      expected[i]! += ((1 - threshold.contamination) * counts[i]! * sum) / Math.max(held, 1e-12);
    }
    best = Math.max(best, logLikelihood(counts, expected) - logChoose(bins, k) - (k - 1));
  }
  return best;
}

/** A constant rate within at most three runs, the last of which ended before the last sixteenth. */
function endedRuns(counts: readonly number[], sum: number): number {
  const bins = counts.length;
  const peak = counts.reduce((a, b) => Math.max(a, b), 0);
  const on: number[] = [];
  counts.forEach((count, i) => {
    if (count > threshold.runShare * peak) on.push(i);
  });
  let runs = 1;
  for (let i = 1; i < on.length; i++) if (on[i]! - on[i - 1]! > 1) runs++;
  const ended = on[on.length - 1]! < bins - 1 - Math.max(1, bins >> 4);
  if (runs > threshold.maxRuns || !ended) return IMPOSSIBLE;
  const expected = background(sum, bins);
  for (const i of on) expected[i]! += ((1 - threshold.contamination) * sum) / on.length;
  const borders = Math.min(2 * runs - 1, bins >> 1);
  return logLikelihood(counts, expected) - threshold.runCost * logChoose(bins, borders);
}

/** The better of the two; `counts` are bins in units of the dispersion and hold something. */
export function ownShapeOf(counts: readonly number[], sum: number): OwnShape {
  const logPrior = Math.log(threshold.ownPrior);
  const single = bursts(counts, sum);
  const runs = endedRuns(counts, sum);
  return single >= runs
    ? { logLikelihood: single + logPrior, shape: { kind: "bursts" } }
    : { logLikelihood: runs + logPrior, shape: { kind: "runs" } };
}
