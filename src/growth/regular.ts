/** The clockwork bonus: few events, but at regular times, which chance does not produce. */
import { threshold } from "./thresholds.js";

/**
 * Log odds gained by a steady rhythm of growth events.
 * @param times seconds of the events, rising
 * @param from start of the window
 * @param to end of the window
 */
export function clockworkBonus(times: ArrayLike<number>, from: number, to: number): number {
  const gaps = times.length - 1;
  if (times.length < threshold.clockworkEvents) return 0;
  const first = times[0]!;
  const last = times[gaps]!;
  const mean = (last - first) / gaps;
  if (mean <= 0) return 0;
  let squares = 0;
  for (let i = 0; i < gaps; i++) squares += (times[i + 1]! - times[i]! - mean) ** 2;
  const spread = Math.max(threshold.clockworkSpreadFloor, Math.sqrt(squares / gaps) / mean);
  const { clockworkSpread, clockworkLag, clockworkLead, clockworkWeight, clockworkMost } =
    threshold;
  const steady = spread <= clockworkSpread;
  const goesOn = to - last <= clockworkLag * mean;
  const began = first - from <= clockworkLead * mean;
  if (!(steady && goesOn && began)) return 0;
  return Math.min(clockworkMost, clockworkWeight * gaps * Math.log(1 / (Math.E * spread)));
}
