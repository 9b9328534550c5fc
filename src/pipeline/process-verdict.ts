/** What is said of a whole process, in one word, one sentence and advice (behaviour: words for what we don't know). */
import { counted, formatBytes, formatDuration, formatRate } from "../base/format.js";
import { advisedPeriod, typedPeriod } from "../base/period.js";
import { MIN_SLICES } from "../contract/limits.js";
import type { Coverage, ProcessVerdict } from "../contract/report.js";
import type { AllocerResult } from "./ranking.js";

/** Share of the heap that must have been seen to call a process clean. */
const CLEAN_COVERAGE = 0.95;

export interface ProcessFacts {
  /** Worst first. */
  readonly results: readonly AllocerResult[];
  readonly coverage: Coverage;
  readonly slices: number;
  /** Seconds from the first to the newest slice. */
  readonly seconds: number;
  /** Events after slice 0. */
  readonly eventsSinceStart: number;
  /** Bytes by which resident memory grew beyond what live blocks account for. */
  readonly unseenGrowth: number;
}

/** A rule gives a verdict or leaves it to the next one. */
type Rule = (facts: ProcessFacts) => ProcessVerdict | null;

const isAlarming = ({ verdict }: AllocerResult): boolean =>
  verdict.state === "confirmed" || verdict.state === "likely";

const leaks: Rule = ({ results }) => {
  const leaking = results.filter((result) => isAlarming(result) && result.sustained);
  if (leaking.length === 0) return null;
  const rate = formatRate(leaking.reduce((sum, { verdict }) => sum + verdict.rate.rate, 0));
  const sentence =
    leaking.length === 1
      ? `1 allocer leaks ${rate}`
      : `${counted(leaking.length, "allocer")} leak ${rate} together`;
  return { state: "leaks", sentence, advice: null };
};

const unseen: Rule = ({ coverage, eventsSinceStart, unseenGrowth, slices }) => {
  if (eventsSinceStart > 0 || unseenGrowth <= 0 || slices < 2) return null;
  const when = coverage.events > 0 ? " since the start" : "";
  return {
    state: "unseen",
    sentence: `Resident memory grew by ${formatBytes(unseenGrowth)}, but no allocation was seen${when}`,
    advice: 'The program may allocate by itself: "edleak doctor" says what can be seen of it',
  };
};

const suspect: Rule = ({ results }) => {
  const doubtful = results.filter((one) => isAlarming(one) || one.verdict.state === "suspect");
  const worst = doubtful[0];
  if (!worst) return null;
  const grow =
    doubtful.length === 1 ? "1 allocer grows" : `${counted(doubtful.length, "allocer")} grow`;
  return {
    state: "suspect",
    sentence: `${grow}, not enough evidence yet`,
    advice: worst.verdict.advice ?? "Keep watching",
  };
};

const tooShort: Rule = ({ slices, seconds }) => {
  if (slices >= MIN_SLICES) return null;
  const period = advisedPeriod(seconds);
  const shorter = period === null ? "" : `, or use --period ${typedPeriod(period)}`;
  return {
    state: "undecided",
    sentence: `Too short to judge: ${counted(slices, "slice")}, ${MIN_SLICES} are needed`,
    advice: `Let it run longer${shorter}`,
  };
};

const nothingSeen: Rule = ({ coverage }) =>
  coverage.events > 0
    ? null
    : {
        state: "undecided",
        sentence: "No allocation was seen",
        advice: '"edleak doctor" says whether the program\'s allocations can be seen',
      };

const lost = (events: number): string =>
  events === 1 ? "1 event was lost" : `${counted(events, "event")} were lost`;

const incomplete: Rule = ({ coverage }) => {
  if (coverage.lostEvents === 0 && (coverage.seen ?? 0) >= CLEAN_COVERAGE) return null;
  return {
    state: "undecided",
    sentence: `No leak among what was seen, but ${lost(coverage.lostEvents)}`,
    advice: "The coverage lines say which, and why",
  };
};

const clean: Rule = ({ results, seconds }) => {
  const open = results.filter(({ verdict }) => verdict.state === "undecided").length;
  const but = open === 0 ? "" : `, ${counted(open, "allocer")} undecided`;
  return {
    state: "clean",
    sentence: `No leak in ${formatDuration(seconds)} among ${counted(results.length, "allocer")}${but}`,
    advice: null,
  };
};

/** In this order: what is certain first, then what stands in the way of calling it clean. */
const RULES: readonly Rule[] = [leaks, unseen, suspect, tooShort, nothingSeen, incomplete];

/** The verdict on a process. */
export function processVerdictOf(facts: ProcessFacts): ProcessVerdict {
  for (const rule of RULES) {
    const verdict = rule(facts);
    if (verdict) return verdict;
  }
  return clean(facts)!;
}
