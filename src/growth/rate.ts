/** Step 7: bytes per second with a 95 % interval, from the bins of the leaking part of the window. */
import type { Rate } from "../contract/verdict.js";
import { studentT95 } from "./special-functions.js";
import { threshold } from "./thresholds.js";

export const NO_RATE: Rate = Object.freeze({ rate: 0, rateLow: 0, rateHigh: 0 });

/** Seconds; no clock is finer, and nothing has a rate in less. */
const CLOCK_STEP = 1e-9;

/**
 * Mean of the bins' rates, with Student's t over them. Bins that agree better than their number of
 * events allows are believed only as far as regular arrivals go: sd >= mean sqrt(.25 / events per bin).
 * @param bytes growth in each bin
 * @param events blocks (or steps) behind it
 * @param from share of the window after which the present rate is seen
 * @param seconds length of the window
 */
export function rateOf(
  bytes: readonly number[],
  events: readonly number[],
  from: number,
  seconds: number,
): Rate {
  const first = Math.min(Math.round(from * bytes.length), bytes.length - 1);
  const bins = bytes.length - first;
  const binSeconds = seconds / bytes.length;
  if (!(binSeconds > CLOCK_STEP)) return NO_RATE;
  let sumBytes = 0;
  let sumEvents = 0;
  for (let i = first; i < bytes.length; i++) {
    sumBytes += bytes[i]!;
    sumEvents += events[i]!;
  }
  if (sumBytes <= 0) return NO_RATE;
  const rate = sumBytes / (bins * binSeconds);
  let squares = 0;
  for (let i = first; i < bytes.length; i++) squares += (bytes[i]! / binSeconds - rate) ** 2;
  const spread = bins > 1 ? Math.sqrt(squares / (bins - 1)) : 0;
  const perBin = Math.max(sumEvents / bins, 1e-9);
  const sd = Math.max(spread, rate * Math.sqrt(threshold.rateSpread / perBin));
  const half = (studentT95(bins - 1) * sd) / Math.sqrt(bins);
  return { rate, rateLow: Math.max(0, rate - half), rateHigh: rate + half };
}
