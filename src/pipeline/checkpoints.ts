/** When verdicts are evaluated and which slices of a long run are kept as points: by slice number alone. */

/** Up to this slice each one is a checkpoint; then they are an eighth of the run apart. */
const EVERY_SLICE_UNTIL = 16;
const STEP_SHARE = 8;

/** Points of a series at most, besides the newest slice. */
export const MOST_POINTS = 1024;

/**
 * Is this slice (0, 1, 2 ...) a checkpoint? 0 to 16, then 18, 20, 22, 24, 27, 30 ...: a function of the
 * number alone, so that a replayed recording is evaluated at the same slices as the live run.
 */
export function isCheckpoint(slice: number): boolean {
  if (slice <= EVERY_SLICE_UNTIL) return true;
  let checkpoint = EVERY_SLICE_UNTIL;
  while (checkpoint < slice) checkpoint += Math.max(1, Math.floor(checkpoint / STEP_SHARE));
  return checkpoint === slice;
}

/** Slices per kept point once `slice` is the last one: 1, 2, 4 ... so that MOST_POINTS suffice. */
export function pointStride(slice: number): number {
  let stride = 1;
  while (Math.floor(slice / stride) >= MOST_POINTS) stride *= 2;
  return stride;
}
