/** Step 3: does the history of births look more like a leak or like something healthy? */
import type { GrowthClass } from "../contract/verdict.js";
import { type Bank, bankOf } from "./bank.js";
import { total } from "./bins.js";
import { dispersionOf } from "./dispersion.js";
import { ownShapeOf } from "./own-shapes.js";
import { logAdd, logSum } from "./special-functions.js";
import { BENIGN_TEMPLATES, type BenignShape, LEAK_TEMPLATES } from "./templates.js";
import { threshold } from "./thresholds.js";

export interface Shape {
  /** ln likelihood ratio leak : healthy, not above what the number of events allows. */
  readonly logOdds: number;
  /** Whether it would be higher but for that number. */
  readonly capped: boolean;
  /** Class of the better hypothesis. */
  readonly class: GrowthClass;
  /** Share of the window after which the present rate is seen; 0 unless a leak is the better hypothesis. */
  readonly rateFrom: number;
  /** The best healthy explanation; null when nothing was born. */
  readonly alternative: BenignShape | null;
}

const NOTHING_BORN: Shape = {
  logOdds: threshold.noShapeScore,
  capped: false,
  class: "const",
  rateFrom: 0,
  alternative: null,
};

/** Blocks; less is rounding, and would make the logarithms infinite. */
const LEAST_BORN = 1e-9;

/** More log odds than this number of growth events can carry are not believed. */
const eventCap = (events: number): number => threshold.capPerEvent * events + threshold.capBase;

/** ln posterior of every template, up to a common constant. */
function posteriors(bank: Bank, counts: readonly number[], sum: number): number[] {
  const { bins, templates, share, logShare, logPrior } = bank;
  const size = threshold.misfitSize;
  const perSize = sum / size;
  const constant = sum * Math.log(sum);
  const out: number[] = [];
  let cell = 0;
  for (let row = 0; row < templates; row++) {
    let fit = constant + logPrior[row]!;
    for (let i = 0; i < bins; i++, cell++) {
      const count = counts[i]!;
      // log(1 + x), not log1p: twice as fast, and its absolute error of 1e-16 doesn't matter here
      fit += count * logShare[cell]! - (count + size) * Math.log(1 + perSize * share[cell]!);
    }
    out.push(fit);
  }
  return out;
}

function indexOfMost(values: readonly number[], from: number, to: number): number {
  let best = from;
  for (let i = from + 1; i < to; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

const ACCELERATING = LEAK_TEMPLATES.map((template) => template.class === "exp");

/** exp if the accelerating templates outweigh the steady ones. */
function leakClass(posterior: readonly number[]): GrowthClass {
  const most = posterior[indexOfMost(posterior, 0, ACCELERATING.length)]!;
  let lead = 0;
  ACCELERATING.forEach((accelerating, i) => {
    const weight = Math.exp(posterior[i]! - most);
    lead += accelerating ? weight : -weight;
  });
  return lead > 0 ? "exp" : "linear";
}

/**
 * Bayes factor of all leak templates against all benign ones.
 * @param bins births of permanent blocks, in equal bins of the window
 * @param events growth events behind them; may be a fraction
 * @param density share of the generations that had one
 */
export function shapeOf(bins: readonly number[], events: number, density: number): Shape {
  if (total(bins) < LEAST_BORN) return NOTHING_BORN;
  const bank = bankOf(bins.length);
  const dispersion = dispersionOf(bins, events, density);
  const counts = bins.map((births) => births / dispersion);
  const sum = total(counts);
  const posterior = posteriors(bank, counts, sum);
  const own = ownShapeOf(counts, sum);

  const leak = logSum(posterior, 0, bank.leaks);
  const healthy = logAdd(logSum(posterior, bank.leaks, bank.templates), own.logLikelihood);
  const cap = events > 0 ? eventCap(events) : Number.POSITIVE_INFINITY;
  const capped = leak - healthy >= cap;
  const logOdds = capped ? cap : leak - healthy;

  const bestBenign = indexOfMost(posterior, bank.leaks, bank.templates);
  const ownIsBest = own.logLikelihood > posterior[bestBenign]!;
  const template = BENIGN_TEMPLATES[bestBenign - bank.leaks]!;
  const alternative = ownIsBest ? own.shape : template.shape;
  if (logOdds > 0) {
    const { rateFrom } = LEAK_TEMPLATES[indexOfMost(posterior, 0, bank.leaks)]!;
    return { logOdds, capped, class: leakClass(posterior), rateFrom, alternative };
  }
  return { logOdds, capped, class: ownIsBest ? "const" : template.class, rateFrom: 0, alternative };
}
