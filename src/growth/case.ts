/** What the sentences speak of, and the phrases that several of them share. */
import { counted, formatCount, formatDuration, formatPercent } from "../base/format.js";
import type { AllocerSeries, State, Verdict, VerdictFacts } from "../contract/verdict.js";
import type { Finding } from "./finding.js";
import type { BenignShape } from "./templates.js";
import { threshold } from "./thresholds.js";

export type Said = Pick<Verdict, "sentence" | "advice">;

/** All that a sentence may speak of. */
export interface Case {
  readonly state: State;
  readonly finding: Finding;
  readonly facts: VerdictFacts;
  readonly series: AllocerSeries;
  readonly window: Verdict["window"];
}

/** " older than 16 s", or nothing where blocks count from their birth. */
export const olderThan = ({ maturitySeconds }: VerdictFacts): string =>
  maturitySeconds > 0 ? ` older than ${formatDuration(maturitySeconds)}` : "";

/** "is" or "are" and the like, by the number of things. */
export const verb = (count: number, one: string, many: string): string =>
  Math.round(count) === 1 ? one : many;

/** What a healthy allocer that grows in this way would be; `what` is a cache, or a container. */
export function nameOf(shape: BenignShape, what: "cache" | "container"): string {
  switch (shape.kind) {
    case "filling": {
      const least = shape.share < threshold.leastFull ? "less than " : "";
      const share = Math.max(shape.share, threshold.leastFull);
      return `a ${what} that is ${least}${formatPercent(share)} full`;
    }
    case "fading":
      return "growth that is fading out";
    case "stopped":
      return "a set-up that has ended";
    case "burst":
      return "one burst of work";
    case "begun":
      return "work that has only just begun";
    case "bursts":
      return "a few single bursts of work";
    case "runs":
      return "a few stretches of work that have ended";
  }
}

/** "41 of 44 slices", or groups of them in a long run. */
export function generationsOf({ facts, series }: Case): string {
  const shift = series.evidence?.shift ?? 0;
  const what = shift === 0 ? "slice" : "group";
  const size = shift === 0 ? "" : ` of ${formatCount(2 ** shift)} slices`;
  return `${formatCount(facts.growthEvents)} of ${counted(facts.generations, what)}${size}`;
}
