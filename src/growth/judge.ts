/** The growth verdict on one allocer: an ordered list of small steps, from its series to a verdict in words. */
import type { AllocerSeries, Verdict, VerdictFacts } from "../contract/verdict.js";
import { limitByBalance } from "./balance.js";
import { classifyBenign } from "./benign-class.js";
import { judgeContainer } from "./container-path.js";
import { type Context, type Finding, NO_GROWTH, type Step } from "./finding.js";
import { generationCount } from "./generations.js";
import { limitByMassRelease } from "./mass-release.js";
import type { Maturity } from "./maturity.js";
import { NO_RATE } from "./rate.js";
import { stateOf } from "./states.js";
import { judgeSurvivors } from "./survivor-path.js";
import { threshold } from "./thresholds.js";
import { sayTooShort, sayVerdict } from "./wording.js";

export interface JudgeOptions {
  /**
   * Works out the exact score even where it is clear that the allocer is healthy; the state is the same
   * with and without. Default false.
   */
  readonly exact?: boolean;
  /** Default STEPS. */
  readonly steps?: readonly Step[];
}

/** The steps, in their order: each takes the opinion so far and may change it. */
export const STEPS: readonly Step[] = [
  judgeSurvivors,
  limitByMassRelease,
  limitByBalance,
  judgeContainer,
  classifyBenign,
];

/** The steps of the specification alone, for comparison with its reference. */
export const SPECIFIED_STEPS = STEPS.filter((step) => step !== limitByBalance);

const NO_OPINION: Finding = {
  path: "survivors",
  score: threshold.noSurvivorsScore,
  gate: 0,
  class: "const",
  rate: NO_RATE,
  growth: NO_GROWTH,
  maturity: null,
  survival: 1,
};

/**
 * Judges one allocer over the window of its series; pure: the same series gives the same verdict.
 *
 * The score is specified in "SURV, births of permanent memory": blocks that have outlived the allocer's
 * normal lifetime, and whether they keep being created up to now.
 * @example
 * judge(series).state; // "confirmed"
 */
export function judge(series: AllocerSeries, options: JudgeOptions = {}): Verdict {
  const window = windowOf(series);
  if (window.slices < threshold.minSlices) return tooShort(window);
  const context: Context = { series, exact: options.exact ?? false };
  let finding = NO_OPINION;
  for (const step of options.steps ?? STEPS) finding = step(finding, context);
  return verdictOf(finding, series, window);
}

function windowOf({ times, evidence }: AllocerSeries): Verdict["window"] {
  const ended = evidence?.endTimes[generationCount(evidence) - 1] ?? 0;
  const from = times[0] ?? evidence?.endTimes[0] ?? 0;
  const latest = Math.max(times[times.length - 1] ?? 0, ended);
  const slices = evidence === null ? times.length : evidence.slice + 1;
  return { from, to: Math.max(from, latest), slices };
}

/** Growth is stated in numbers for what grows, also for one that is only filling. */
function verdictOf(finding: Finding, series: AllocerSeries, window: Verdict["window"]): Verdict {
  const state = stateOf(finding);
  const facts = factsOf(series, finding, window);
  const said = sayVerdict({ state, finding, facts, series, window });
  const grows = state !== "undecided" && finding.class !== "const";
  return {
    state,
    class: state === "undecided" ? null : finding.class,
    score: finding.score,
    path: finding.path,
    leakBytes: grows ? finding.growth.bytes : 0,
    rate: grows ? finding.rate : NO_RATE,
    window,
    facts,
    sentence: said.sentence,
    advice: said.advice,
  };
}

function tooShort(window: Verdict["window"]): Verdict {
  return {
    state: "undecided",
    class: null,
    score: 0,
    path: "tooShort",
    leakBytes: 0,
    rate: NO_RATE,
    window,
    facts: NO_FACTS,
    ...sayTooShort(window),
  };
}

const NO_FACTS: VerdictFacts = Object.freeze({
  maturitySlices: 0,
  maturitySeconds: 0,
  matureAlive: 0,
  matureFreed: 0,
  growthEvents: 0,
  generations: 0,
  sinceLastEvent: 0,
  firstThirdShare: 0,
});

/**
 * The maturity in seconds: the age of the youngest blocks that count, but not less than that many slices
 * usually last. The slice at the end of a process follows the one before at once, and "older than 12 ms"
 * would be true but say nothing.
 */
function secondsOf(
  maturity: Maturity,
  evidence: AllocerSeries["evidence"],
  { from, to, slices }: Verdict["window"],
): number {
  if (maturity.slices === 0) return 0;
  const usual = slices > 1 ? (to - from) / (slices - 1) : 0;
  return Math.max(to - (evidence?.endTimes[maturity.generation] ?? to), maturity.slices * usual);
}

function factsOf(
  { evidence }: AllocerSeries,
  { growth, maturity }: Finding,
  window: Verdict["window"],
): VerdictFacts {
  const { to } = window;
  return {
    maturitySlices: maturity?.slices ?? 0,
    maturitySeconds: maturity === null ? 0 : secondsOf(maturity, evidence, window),
    matureAlive: maturity?.alive ?? 0,
    matureFreed: maturity?.freed ?? 0,
    growthEvents: growth.events,
    generations: growth.generations,
    sinceLastEvent: growth.lastEvent === null ? 0 : Math.max(0, to - growth.lastEvent),
    firstThirdShare: growth.firstThirdShare,
  };
}
