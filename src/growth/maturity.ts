/** Step 1: the age after which the blocks of this allocer are no longer freed (specification 3.2, 1). */
import type { Evidence } from "../contract/verdict.js";
import { generationCount, youngestAged } from "./generations.js";
import { threshold } from "./thresholds.js";

export interface Maturity {
  /** The age, in slices. */
  readonly slices: number;
  /** Blocks freed at that age or later: those that were not permanent after all. */
  readonly freed: number;
  /** Blocks of that age that are alive, born after generation 0. */
  readonly alive: number;
  /** The youngest generation that is mature. */
  readonly generation: number;
  /** The youngest generation that is mature for the greatest age considered. */
  readonly oldestGeneration: number;
}

/** 0, 1, 2, 4, 8 ... slices, up to a share of the window: where the age buckets begin. */
function candidateAges(slice: number): number[] {
  const ages = [0];
  for (let age = 1; age <= slice * threshold.matureAgeShare; age *= 2) ages.push(age);
  return ages;
}

/**
 * Takes the first candidate at which hardly anything is freed any more; if there is none, the one after
 * which the smallest share is freed (rule of succession): Kaplan-Meier on age buckets.
 */
export function maturityOf(evidence: Evidence): Maturity {
  const { ageFrees, liveCount } = evidence;
  const ages = candidateAges(evidence.slice);
  const oldestGeneration = youngestAged(evidence, ages[ages.length - 1]!);
  let generation = generationCount(evidence) - 1;
  let freed = sumFrom(ageFrees, 0, ageFrees.length);
  let alive = sumFrom(liveCount, 1, generation + 1);
  let best: Maturity | undefined;
  let bestShare = Number.POSITIVE_INFINITY;
  for (let bucket = 0; bucket < ages.length; bucket++) {
    const slices = ages[bucket]!;
    // Bucket b holds the ages from ages[b] on, below ages[b + 1].
    if (bucket > 0) freed = Math.max(0, freed - (ageFrees[bucket - 1] ?? 0));
    const mature = youngestAged(evidence, slices);
    for (; generation > mature; generation--) {
      alive = Math.max(0, alive - (liveCount[generation] ?? 0));
    }
    const share = (freed + 0.5) / (freed + alive + 1);
    const better = best === undefined || share < bestShare - 1e-12;
    const settled =
      freed <= threshold.matureFreedShare * (freed + alive) && alive >= threshold.matureMinAlive;
    if (better || settled) best = { slices, freed, alive, generation: mature, oldestGeneration };
    if (better) bestShare = share;
    if (settled) break;
  }
  return best!;
}

function sumFrom(values: ArrayLike<number>, first: number, end: number): number {
  let sum = 0;
  for (let i = first; i < end; i++) sum += values[i] ?? 0;
  return sum;
}
