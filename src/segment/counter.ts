/**
 * Differences of the agent's counters between two readings.
 *
 * Counters are monotone, so a lower value is damage (or, in theory, a torn read): the difference is 0,
 * and the older value is put back, so that a counter that catches up is right again.
 */

const TWO_32 = 2 ** 32;
/** More events than this between two slices can't be true; sums of doubles stay exact below it. */
const MOST = 2 ** 53;
/** A u32 counter wraps; a step back of less than half its range is damage instead. */
const HALF_U32 = 2 ** 31;

/** How many counters were found damaged. */
export interface Damage {
  count: number;
}

/**
 * Difference of the u64 at index `at` of two arrays of 32-bit words, exact below 2^53. A damaged
 * one counts as 0 and is replaced by the older value.
 */
export function differenceU64(
  now: Uint32Array,
  before: Uint32Array,
  at: number,
  damage: Damage,
): number {
  const low = now[at]! - before[at]!;
  const high = now[at + 1]! - before[at + 1]!;
  const difference = high === 0 ? low : high * TWO_32 + low;
  if (difference >= 0 && difference < MOST) return difference;
  damage.count++;
  now[at] = before[at]!;
  now[at + 1] = before[at + 1]!;
  return 0;
}

/** The same for a u32 that may wrap. */
export function differenceU32(
  now: Uint32Array,
  before: Uint32Array,
  at: number,
  damage: Damage,
): number {
  const difference = (now[at]! - before[at]!) >>> 0;
  if (difference < HALF_U32) return difference;
  damage.count++;
  now[at] = before[at]!;
  return 0;
}
