/** Equal bins over an axis whose marks are not equally spaced. */
import { threshold } from "./thresholds.js";

/** How many bins a shape test gets: a power of two while there are events for it, else 3 to 6. */
export function binCount(generations: number, events: number): number {
  const filled = Math.min(generations, events / threshold.eventsPerBin);
  if (filled >= 32) return 32;
  if (filled >= 16) return 16;
  if (filled >= 8) return 8;
  if (generations < 4) return threshold.fewGenerationBins;
  const { sparseBins, sparseBinsMost } = threshold;
  return Math.max(sparseBins, Math.min(sparseBinsMost, Math.floor(filled)));
}

/**
 * Distributes amounts over `bins` equal bins from the first edge to the last, by linear interpolation of
 * their cumulative sum. amounts[i] lies between edges[i] and edges[i + 1].
 */
export function rebin(
  edges: ArrayLike<number>,
  amounts: ArrayLike<number>,
  bins: number,
): number[] {
  const count = amounts.length;
  const first = edges[0]!;
  const length = edges[count]! - first;
  const out: number[] = [];
  let next = 0;
  let whole = 0;
  let before = 0;
  for (let bin = 0; bin < bins - 1; bin++) {
    const end = first + (length * (bin + 1)) / bins;
    while (next < count && edges[next + 1]! <= end) whole += amounts[next++]!;
    let sum = whole;
    if (next < count && end > edges[next]!) {
      sum += (amounts[next]! * (end - edges[next]!)) / (edges[next + 1]! - edges[next]!);
    }
    out.push(Math.max(0, sum - before));
    before = sum;
  }
  while (next < count) whole += amounts[next++]!;
  out.push(Math.max(0, whole - before));
  return out;
}

/** Sum of all amounts. */
export function total(amounts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < amounts.length; i++) sum += amounts[i]!;
  return sum;
}
