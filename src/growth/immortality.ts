/** Step 2: are the mature blocks permanent, or only the long tail of a turnover (specification 3.2, 2)? */
import { binCount, rebin, total } from "./bins.js";
import { neighbourNoise } from "./dispersion.js";
import { logLikelihood } from "./likelihood.js";
import type { Maturity } from "./maturity.js";
import { logBeta, logSum } from "./special-functions.js";
import { allocationClock, type Survivors } from "./survivors.js";
import { threshold } from "./thresholds.js";

/**
 * ln Bayes factor of "mature blocks are (nearly) never freed" against "they are freed with any probability":
 * the rule of succession, on mature blocks only.
 */
export function immortality(freed: number, alive: number): number {
  const blocks = freed + alive;
  if (blocks <= 0) return 0;
  const scale = Math.min(1, threshold.immortalSample / blocks);
  const { immortalFreed, immortalAlive } = threshold;
  const permanent =
    logBeta(freed * scale + immortalFreed, alive * scale + immortalAlive) -
    logBeta(immortalFreed, immortalAlive);
  const anything = logBeta(freed * scale + 1, alive * scale + 1) - logBeta(1, 1);
  return permanent - anything;
}

/** How fast the surviving share may fall with age over the window: e^-q from the youngest to the oldest. */
const DECAYS = [1.5, 2.5, 4, 8] as const;

/** Dispersion here has a stronger prior than for the shape, and never less than Poisson. */
const FLAT_PRIOR = 3;

function flatness(bins: readonly number[]): number {
  const noise = neighbourNoise(bins, 0);
  const dispersion = Math.max(1, (total(noise) + FLAT_PRIOR) / (noise.length + FLAT_PRIOR));
  const counts = bins.map((survivors) => survivors / dispersion);
  const sum = total(counts);
  if (sum <= 0) return threshold.flatUnlikely;
  const n = counts.length;
  const constant = logLikelihood(counts, new Array<number>(n).fill(sum / n));
  const decaying = DECAYS.map((q) => {
    const share = (i: number): number =>
      (Math.expm1((q * (i + 1)) / n) - Math.expm1((q * i) / n)) / Math.expm1(q);
    const expected = counts.map((_, i) => sum * Math.max(1e-6, share(i)));
    return logLikelihood(counts, expected);
  });
  return constant - (logSum(decaying) - Math.log(DECAYS.length));
}

/**
 * ln Bayes factor of "a constant share of the allocations survives" against "the share falls with age", on
 * the clock of the allocations: finds the permanent 1 % under heavy traffic with long lifetimes.
 */
export function constantShare(survivors: Survivors, oldestGeneration: number): number {
  const { flatUnlikely, flatMinSurvivors, mixedGenerations } = threshold;
  if (oldestGeneration < mixedGenerations) return flatUnlikely;
  const blocks = survivors.blocks.slice(0, oldestGeneration);
  const events = blocks.reduce((count, alive) => count + (alive > 0 ? 1 : 0), 0);
  if (total(blocks) < flatMinSurvivors) return flatUnlikely;
  const clock = allocationClock(survivors).slice(0, oldestGeneration + 1);
  return flatness(rebin(clock, blocks, binCount(oldestGeneration, events)));
}

/** What the score loses for blocks that do die; 0 when they are permanent, else negative. */
export function gateOf(maturity: Maturity, survivors: Survivors, mixed: boolean): number {
  const permanent = immortality(maturity.freed, maturity.alive);
  const share = mixed
    ? constantShare(survivors, maturity.oldestGeneration)
    : threshold.flatUnlikely;
  const flat = share - threshold.flatHandicap + threshold.flatDeaths * Math.min(0, permanent);
  return threshold.gateWeight * Math.min(0, Math.max(permanent, flat));
}
