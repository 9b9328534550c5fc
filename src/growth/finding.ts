/** What the steps of the verdict hand to each other: the opinion so far, and what it is about. */
import type { AllocerSeries, GrowthClass, Rate, VerdictPath } from "../contract/verdict.js";
import type { Maturity } from "./maturity.js";
import type { BenignShape } from "./templates.js";

/** The growth that a finding speaks of, whether of survivors or of the permanent part of the byte curve. */
export interface Growth {
  /** Growth events, of so many generations (or slices) that are old enough to count. */
  readonly events: number;
  readonly generations: number;
  /** Seconds at which the last event's generation ended; null when there was none. */
  readonly lastEvent: number | null;
  /** Seconds between the ends of the first and the last generation that count. */
  readonly from: number;
  readonly to: number;
  /** Bytes grown over the whole window. */
  readonly bytes: number;
  /** Share of the growth in the first third, and in the first half, of [from, to]. */
  readonly firstThirdShare: number;
  readonly firstHalfShare: number;
  /** Whether only the number of events keeps the score down. */
  readonly capped: boolean;
  /** The best healthy explanation. */
  readonly alternative: BenignShape | null;
}

export interface Finding {
  readonly path: VerdictPath;
  readonly score: number;
  /** The part of the score that is lost because mature blocks do die; 0 or negative. */
  readonly gate: number;
  readonly class: GrowthClass;
  readonly rate: Rate;
  readonly growth: Growth;
  /** null without evidence by generation. */
  readonly maturity: Maturity | null;
  /** Share of the allocations in the mature window that are still alive; 1 when unknown. */
  readonly survival: number;
}

export interface Context {
  readonly series: AllocerSeries;
  /** Whether to work out scores that can't matter too. */
  readonly exact: boolean;
}

/** One step: takes the opinion so far, gives it on, changed or not. */
export type Step = (finding: Finding, context: Context) => Finding;

export const NO_GROWTH: Growth = Object.freeze({
  events: 0,
  generations: 0,
  lastEvent: null,
  from: 0,
  to: 0,
  bytes: 0,
  firstThirdShare: 0,
  firstHalfShare: 0,
  capped: false,
  alternative: null,
});

export const isGrowing = (cls: GrowthClass): boolean => cls === "linear" || cls === "exp";
