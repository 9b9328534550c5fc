/** Every number the growth verdict depends on, in one table: value, unit, and why it is what it is. */
import { MIN_SLICES } from "../contract/limits.js";

export interface Threshold {
  /** The default. */
  readonly value: number;
  readonly unit: string;
  readonly reason: string;
}

const t = (value: number, unit: string, reason: string): Threshold => ({ value, unit, reason });

/** The table. Priors of the template shapes are data of their own, in templates.ts. */
export const THRESHOLDS = {
  // From score to state.
  minSlices: t(MIN_SLICES, "slices", "with fewer, three generations can't outlive a maturity age"),
  minEvents: t(6, "events", "fewer leave the event cap at the border of likely: at most suspect"),
  openEvents: t(
    3,
    "events",
    "fewer have no shape; three at the cap are a slow leak but for number",
  ),
  suspectScore: t(2, "nats", "0.34 % of healthy allocers score more, of leaks 75 %"),
  likelyScore: t(3, "nats", "0.08 % of healthy allocers score more, of leaks 68 %"),
  confirmedScore: t(6, "nats", "10 000 times as frequent among leaks as among healthy allocers"),
  confirmedEvents: t(13, "events", "the first count whose event cap lies above confirmedScore"),

  // Maturity: the age after which the blocks of an allocer are no longer freed.
  matureAgeShare: t(
    0.34,
    "share of slices",
    "two thirds of the window must be old enough to judge",
  ),
  matureFreedShare: t(0.03, "share of blocks", "a few late frees don't make a lifetime"),
  matureMinAlive: t(3, "blocks", "fewer survivors don't show that blocks of this age stay"),
  minGenerations: t(3, "generations", "fewer have no shape in time"),
  noSurvivorsScore: t(-8, "nats", "no block outlived the maturity age: surely nothing permanent"),

  // Immortality: are the mature blocks permanent, or is it a long tail of lifetimes?
  immortalFreed: t(0.5, "blocks", "prior of a leak: about one death ..."),
  immortalAlive: t(20, "blocks", "... in forty mature blocks"),
  immortalSample: t(400, "blocks", "more would turn a few per cent of deaths into certainty"),
  gateWeight: t(
    3,
    "factor",
    "a turnover must outweigh any shape: deaths are exact, shapes are not",
  ),
  mixedSurvival: t(
    0.5,
    "share of allocs",
    "below it most blocks are traffic: test the surviving share",
  ),
  mixedGenerations: t(6, "generations", "the second clock needs a shape too"),
  flatMinSurvivors: t(5, "blocks", "fewer don't show whether the surviving share decays"),
  flatUnlikely: t(-9, "nats", "no test possible: the constant share counts for nothing"),
  flatHandicap: t(3, "nats", "the constant share must be clearly better than a decaying one"),
  flatDeaths: t(
    0.15,
    "factor",
    "frees of mature blocks still count a little when the share is flat",
  ),

  // Shape: when were the mature survivors born?
  sparseBins: t(4, "bins", "with few events the bins are few: 4 to 6 ..."),
  sparseBinsMost: t(6, "bins", "... so that empty ones don't dominate"),
  fewGenerationBins: t(3, "bins", "all that fewer than four generations can fill"),
  eventsPerBin: t(2, "events", "a bin should hold two events on average"),
  dispersionPrior: t(4, "bins", "weight of the assumption that births are Poisson"),
  dispersionFloor: t(
    0.3,
    "factor",
    "regular births are better than Poisson, but not without limit",
  ),
  dispersionMinBins: t(4, "bins", "the later half must have that many usable neighbours, else all"),
  dispersionTrimFrom: t(8, "bins", "with that many, the two largest jumps are steps, not noise"),
  sparseDensity: t(0.5, "share", "fewer generations with births than that: they come in clumps"),
  sparseClump: t(2, "factor", "then half the mean clump is the dispersion at least"),
  contamination: t(0.004, "share", "no template is believed to be exactly zero anywhere"),
  misfitSize: t(40, "size", "negative binomial: 16 % misfit per bin, so that counts don't shout"),
  noShapeScore: t(-6, "nats", "nothing was born: nothing grows"),
  capPerEvent: t(0.45, "nats/event", "evidence can't exceed what the number of events allows"),
  capBase: t(0.5, "nats", "same"),
  maxShapeScore: t(15, "nats", "beyond it more evidence of shape says nothing new"),
  ownPrior: t(0.15, "probability", "prior of the two benign shapes fitted to the data itself"),
  heaviestBins: t(4, "bins", "growth in up to that many single bursts"),
  runShare: t(0.02, "share of the peak", "a bin with less belongs to no run"),
  maxRuns: t(3, "runs", "growth in up to that many runs that have ended"),
  runCost: t(0.6, "factor", "price of choosing the runs' borders, below full choice of bins"),

  // Clockwork: few events, but at regular times.
  clockworkDensity: t(0.5, "share", "above it the bins already see the regularity"),
  clockworkEvents: t(5, "events", "four gaps are the fewest that show a rhythm"),
  clockworkSpread: t(0.3, "gap sd / mean", "more is no rhythm"),
  clockworkSpreadFloor: t(0.12, "gap sd / mean", "slice times are no finer"),
  clockworkLag: t(1.6, "gaps", "a longer silence at the end is a missing event: it stopped"),
  clockworkLead: t(2, "gaps", "a longer silence at the start is no steady rhythm"),
  clockworkWeight: t(0.5, "factor", "half of the gain: gaps of one allocer aren't independent"),
  clockworkMost: t(4, "nats", "rhythm alone never confirms"),

  // Mass release: what was flushed once may be flushed again.
  flushBlocks: t(8, "blocks", "smaller drops are ordinary frees"),
  flushShare: t(0.7, "share of blocks", "of what lay above the floor, released within one slice"),
  flushOutlivers: t(
    3,
    "blocks",
    "that many survivors from before a flush prove a leak all the same",
  ),

  // Balance: a leak of so many blocks means so many live blocks more.
  balanceShare: t(
    0.5,
    "share of expected growth",
    "on labelled leaks 99.5 % are above 0.57; healthy wrappers that were taken for leaks are below",
  ),
  balanceNoise: t(2, "rms steps", "the growth is measured that well; in the leak's favour"),
  balanceBlocks: t(3, "blocks", "fewer expected ones say nothing"),

  // Container: one block that keeps being reallocated, or no evidence by generation.
  containerBlockShare: t(
    0.3,
    "share of growth",
    "more explained by the number of blocks: no container",
  ),
  containerFrees: t(3, "frees", "realloc frees; fewer in the last half are no churn"),
  envelopeTail: t(0.08, "share of slices", "the newest bytes may still be released"),
  envelopeNoise: t(2, "factor", "a step of growth is twice the rms of downward steps at least"),
  envelopeStep: t(0.2, "steps", "less isn't an event"),
  envelopeDrop: t(1.5, "factor", "price of growth that is smaller than the largest drawdown"),
  noEnvelopeScore: t(-6, "nats", "the permanent part of the curve never rose"),

  // Filling or stable, once it is no leak.
  fillingGrowth: t(0.55, "share of range", "permanent growth is most of what the curve does ..."),
  fillingDrop: t(0.35, "share of range", "... not a swing ..."),
  fillingSteps: t(4, "steps", "... and not one jump"),
  fillingStep: t(0.002, "share of range", "smaller ones aren't steps"),

  // Words.
  recentGaps: t(3, "gaps", "a longer silence is named instead of saying: up to now"),
  trendSigmas: t(2, "sigmas", "a trend is named only when it is no chance"),
  trendLean: t(0.25, "share", "difference of the halves' shares of growth that is worth a word"),
  deathsDecide: t(-2, "nats", "a gate below it is named as the reason why growth is no leak"),
  leastFull: t(0.6, "share", "emptier caches look alike, and like a leak"),
  endingShare: t(0.5, "share", "half of the growth in the first third: it is ending"),

  // Rate.
  rateSpread: t(
    0.25,
    "variance / mean",
    "regular leaks: bins can't agree better than their counts allow",
  ),
} as const satisfies Record<string, Threshold>;

export type ThresholdName = keyof typeof THRESHOLDS;

/** The values alone, for use in formulas. */
export const threshold = Object.freeze(
  Object.fromEntries(Object.entries(THRESHOLDS).map(([name, { value }]) => [name, value])),
) as Readonly<Record<ThresholdName, number>>;
