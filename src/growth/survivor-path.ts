/** The main path: score, class and rate from the mature survivors (specification 3.2, 1 to 4 and 7). */
import type { Evidence, GrowthClass } from "../contract/verdict.js";
import { binCount, rebin, total } from "./bins.js";
import { type Finding, type Growth, isGrowing, NO_GROWTH, type Step } from "./finding.js";
import { generationCount } from "./generations.js";
import { gateOf } from "./immortality.js";
import { type Maturity, maturityOf } from "./maturity.js";
import { NO_RATE, rateOf } from "./rate.js";
import { clockworkBonus } from "./regular.js";
import { type Shape, shapeOf } from "./shape.js";
import { logAdd } from "./special-functions.js";
import { allocationClock, eventTimes, isMixed, type Survivors, survivorsOf } from "./survivors.js";
import { threshold } from "./thresholds.js";

/** Judges by evidence of generations; leaves the finding as it is when there is none. */
export const judgeSurvivors: Step = (finding, { series, exact }) => {
  const { evidence } = series;
  if (evidence === null) return finding;
  const maturity = maturityOf(evidence);
  const tooFew = maturity.generation < threshold.minGenerations;
  if (tooFew || maturity.alive <= 0) return nothingMature(maturity);
  const survivors = survivorsOf(evidence, maturity.generation);
  const mixed = isMixed(survivors, maturity.alive);
  const gate = gateOf(maturity, survivors, mixed);
  // Whatever the shape, the score would be below suspect: most traffic ends here.
  const hopeless = gate < threshold.suspectScore - threshold.maxShapeScore;
  if (hopeless && !exact) return turnover(evidence, maturity, survivors, gate);

  const bins = binCount(maturity.generation, survivors.events);
  const births = rebin(survivors.edges, survivors.blocks, bins);
  const shape = shapeOnBothClocks(survivors, births, mixed);
  const score = Math.min(shape.logOdds + rhythmBonus(survivors), threshold.maxShapeScore) + gate;
  const bytes = rebin(survivors.edges, survivors.bytes, bins);
  const seconds = survivors.edges[maturity.generation]! - survivors.edges[0]!;
  const rate = score > 0 ? rateOf(bytes, births, shape.rateFrom, seconds) : NO_RATE;
  return {
    path: "survivors",
    score,
    gate,
    class: classOf(shape.class, score),
    rate,
    growth: growthOf(evidence, survivors, shape, rate.rate),
    maturity,
    survival: survivalOf(maturity, survivors),
  };
};

const nothingMature = (maturity: Maturity): Finding => ({
  path: "survivors",
  score: threshold.noSurvivorsScore,
  gate: 0,
  class: "const",
  rate: NO_RATE,
  growth: NO_GROWTH,
  maturity,
  survival: 1,
});

/** Blocks that do die; the score is what the gate alone leaves. */
const turnover = (
  evidence: Evidence,
  maturity: Maturity,
  survivors: Survivors,
  gate: number,
): Finding => ({
  path: "survivors",
  score: gate,
  gate,
  class: "const",
  rate: NO_RATE,
  growth: growthOf(evidence, survivors, null, 0),
  maturity,
  survival: survivalOf(maturity, survivors),
});

const survivalOf = ({ alive }: Maturity, { allocated }: Survivors): number =>
  alive / Math.max(allocated, alive);

/**
 * Where most blocks are traffic, the mean of the odds on the clock of seconds and on that of the
 * allocations: a leak of 1 in 100 requests follows the load, not the time.
 */
function shapeOnBothClocks(survivors: Survivors, births: readonly number[], mixed: boolean): Shape {
  const { events, density, blocks } = survivors;
  const onTime = shapeOf(births, events, density);
  if (!mixed) return onTime;
  const byWork = rebin(allocationClock(survivors), blocks, births.length);
  const onWork = shapeOf(byWork, events, density);
  const logOdds = logAdd(onTime.logOdds, onWork.logOdds) - Math.LN2;
  return { ...onTime, logOdds, capped: onTime.capped && onWork.capped };
}

/** Births in few generations only: a steady rhythm of theirs is evidence that the bins can't see. */
function rhythmBonus(survivors: Survivors): number {
  if (survivors.density > threshold.clockworkDensity) return 0;
  const { edges } = survivors;
  return clockworkBonus(eventTimes(survivors), edges[0]!, edges[edges.length - 1]!);
}

function classOf(shape: GrowthClass, score: number): GrowthClass {
  if (score > 0) return isGrowing(shape) ? shape : "linear";
  return isGrowing(shape) ? "const" : shape;
}

function growthOf(
  evidence: Evidence,
  survivors: Survivors,
  shape: Shape | null,
  rate: number,
): Growth {
  const { edges, blocks, bytes } = survivors;
  const last = blocks.findLastIndex((count) => count > 0);
  const to = edges[blocks.length]!;
  const born = Math.max(total(bytes), Number.MIN_VALUE);
  const thirds = rebin(edges, bytes, 6);
  const half = thirds[0]! + thirds[1]! + thirds[2]!;
  return {
    events: survivors.events,
    generations: blocks.length,
    lastEvent: last < 0 ? null : edges[last + 1]!,
    from: edges[0]!,
    to,
    bytes: total(bytes) + youngGrowth(evidence, blocks.length, to, rate),
    firstThirdShare: Math.min(1, (thirds[0]! + thirds[1]!) / born),
    firstHalfShare: Math.min(1, half / born),
    capped: shape?.capped ?? false,
    alternative: shape?.alternative ?? null,
  };
}

/** What has leaked since the mature part of the window: at its rate, but no more than is alive. */
function youngGrowth(evidence: Evidence, mature: number, to: number, rate: number): number {
  const generations = generationCount(evidence);
  let alive = 0;
  for (let g = mature + 1; g < generations; g++) alive += evidence.liveBytes[g] ?? 0;
  const now = evidence.endTimes[generations - 1] ?? to;
  return Math.min(alive, rate * Math.max(0, now - to));
}
