/** Where generations lie in time and in slices: the only place that knows what `shift` means. */
import type { Evidence } from "../contract/verdict.js";

/** Generations that have begun; what lies behind them in the arrays is ignored. */
export function generationCount(evidence: Evidence): number {
  const begun = Math.floor(evidence.slice / 2 ** evidence.shift) + 1;
  return Math.min(evidence.liveCount.length, begun);
}

/** The youngest generation all of whose blocks are `age` slices old or older; 0 when there is none. */
export function youngestAged(evidence: Evidence, age: number): number {
  const youngest = generationCount(evidence) - 1;
  if (age === 0) return Math.max(youngest, 0);
  const ended = Math.floor((evidence.slice - age + 1) / 2 ** evidence.shift) - 1;
  return Math.max(Math.min(youngest, ended), 0);
}

/** The generation that was young at a time: the first that ended at it or later. */
export function generationAt(evidence: Evidence, seconds: number): number {
  const last = generationCount(evidence) - 1;
  let generation = 0;
  while (generation < last && (evidence.endTimes[generation] ?? 0) < seconds) generation++;
  return generation;
}
