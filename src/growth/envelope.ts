/** The permanent part of a byte curve: what was never given back up to now. */

export interface Envelope {
  /** Growth of the permanent part, steps[i] from slice i to slice i + 1; never negative. */
  readonly steps: readonly number[];
  /** Growth over the window. */
  readonly growth: number;
  /** Largest height of the curve above its permanent part. */
  readonly drawdown: number;
}

/** At each slice the permanent part is the least of this and all later slices. */
export function envelopeOf(bytes: ArrayLike<number>): Envelope {
  const last = bytes.length - 1;
  if (last < 0) return { steps: [], growth: 0, drawdown: 0 };
  const steps: number[] = [];
  let floor = bytes[last]!;
  let drawdown = 0;
  for (let i = last - 1; i >= 0; i--) {
    const lower = Math.min(floor, bytes[i]!);
    steps.push(floor - lower);
    drawdown = Math.max(drawdown, bytes[i]! - lower);
    floor = lower;
  }
  return { steps: steps.reverse(), growth: bytes[last]! - floor, drawdown };
}
