/** The templates cut into bins, with their logarithms: computed once per number of bins. */
import { BENIGN_TEMPLATES, LEAK_TEMPLATES } from "./templates.js";
import { threshold } from "./thresholds.js";

/** Rows are templates, leaks first; all arrays are row-major with `bins` columns. */
export interface Bank {
  readonly bins: number;
  readonly leaks: number;
  readonly templates: number;
  /** Probability of each bin. */
  readonly share: Float64Array;
  readonly logShare: Float64Array;
  /** Logarithm of each template's prior: leaks sum to 1, benign ones to 1 - ownPrior. */
  readonly logPrior: Float64Array;
}

type Weighted = { readonly curve: (x: number) => number; readonly weight: number };

/** Probabilities of the bins under a template, never exactly 0. */
function shares(curve: Weighted["curve"], bins: number): number[] {
  const rises = Array.from({ length: bins }, (_, i) =>
    Math.max(0, curve((i + 1) / bins) - curve(i / bins)),
  );
  const sum = rises.reduce((a, b) => a + b, 0);
  const { contamination } = threshold;
  return rises.map((rise) => ((1 - contamination) * rise) / sum + contamination / bins);
}

function logPriors(templates: readonly Weighted[], whole: number): number[] {
  const sum = templates.reduce((a, { weight }) => a + weight, 0);
  return templates.map(({ weight }) => Math.log((weight / sum) * whole));
}

function makeBank(bins: number): Bank {
  const templates: readonly Weighted[] = [...LEAK_TEMPLATES, ...BENIGN_TEMPLATES];
  const share = Float64Array.from(templates.flatMap(({ curve }) => shares(curve, bins)));
  return {
    bins,
    leaks: LEAK_TEMPLATES.length,
    templates: templates.length,
    share,
    logShare: share.map(Math.log),
    logPrior: Float64Array.from([
      ...logPriors(LEAK_TEMPLATES, 1),
      ...logPriors(BENIGN_TEMPLATES, 1 - threshold.ownPrior),
    ]),
  };
}

const banks = new Map<number, Bank>();

/** The bank for a number of bins. */
export function bankOf(bins: number): Bank {
  let bank = banks.get(bins);
  if (bank === undefined) {
    bank = makeBank(bins);
    banks.set(bins, bank);
  }
  return bank;
}
