/** Which shorter period is advised where a run had too few slices, and how a period is typed. */
import { MIN_SLICES } from "../contract/limits.js";
import { PERIOD_SECONDS } from "../contract/options.js";

/** Slices that an advised period aims at: enough for a first confident verdict. */
const AIM_SLICES = 40;

/** The greatest of 1, 2, 5, 10, 20 ... and their tenths that is not above a value. */
function niceBelow(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  const digit = [5, 2].find((candidate) => candidate * unit <= value) ?? 1;
  return Number((digit * unit).toPrecision(1));
}

/**
 * The period in seconds that gives a run of this length plenty of slices, or at least enough for a
 * verdict; null when not even the shortest one does.
 * @example
 * advisedPeriod(2); // 0.05
 */
export function advisedPeriod(seconds: number): number | null {
  if (!(seconds >= PERIOD_SECONDS.least * MIN_SLICES)) return null;
  return Math.max(PERIOD_SECONDS.least, niceBelow(seconds / AIM_SLICES));
}

/** A period in the form that the command line reads: "50ms", "2s". */
export const typedPeriod = (seconds: number): string =>
  seconds < 1 ? `${Math.round(seconds * 1000)}ms` : `${seconds}s`;
