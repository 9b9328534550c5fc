/** From score to state, with the minimum of evidence that each state needs (specification 3.3). */
import type { GrowthClass, State } from "../contract/verdict.js";
import type { Finding } from "./finding.js";
import { threshold } from "./thresholds.js";

/** The state that score and class alone would give. */
export function stateOfScore(score: number, cls: GrowthClass): State {
  if (score > threshold.confirmedScore) return "confirmed";
  if (score > threshold.likelyScore) return "likely";
  if (score > threshold.suspectScore) return "suspect";
  return cls === "log" ? "filling" : "stable";
}

/**
 * The state of a finding over enough slices. Two things need a number of growth events besides:
 * - `likely` and worse need 6. Fewer reach that score by rhythm alone, and a timer that allocated five
 *   times is no leak yet: at most `suspect`.
 * - From 3 events on, one whose shape is a leak's in every respect and whose score only their number
 *   keeps down is `undecided`, not `stable`. With 1 or 2 there is no shape: late set-up, `stable`.
 */
export function stateOf(finding: Finding): State {
  const { score, growth, path } = finding;
  const state = stateOfScore(score, finding.class);
  const fewEvents = growth.events < threshold.minEvents;
  if ((state === "likely" || state === "confirmed") && fewEvents) return "suspect";
  if (state !== "stable" || path !== "survivors") return state;
  const open = fewEvents && growth.events >= threshold.openEvents;
  return open && growth.capped && score > 0 ? "undecided" : state;
}

/**
 * Slices to wait, at the pace of growth so far, until a score above `wanted` is possible: by the number
 * of events it needs, and by the score's own growth, which is about as fast as theirs.
 */
export function slicesUntil(
  wanted: "likely" | "confirmed",
  finding: Finding,
  slices: number,
): number {
  const { events } = finding.growth;
  const target = wanted === "likely" ? threshold.likelyScore : threshold.confirmedScore;
  const needed = wanted === "likely" ? threshold.minEvents : threshold.confirmedEvents;
  const byEvents = (needed - events) / Math.max(events, 1);
  const byScore = (target - finding.score) / Math.max(finding.score, 0.5);
  return roundUp(Math.max(1, slices * Math.max(byEvents, byScore)));
}

/** One or two digits: an estimate must not look exact. */
function roundUp(count: number): number {
  if (count <= 20) return Math.ceil(count);
  const step = 10 ** Math.floor(Math.log10(count)) / 2;
  return Math.ceil(count / step) * step;
}
