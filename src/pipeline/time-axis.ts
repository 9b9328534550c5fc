/** The times all series share: of the kept points, and of the ends of generations. */
import { GENERATION_GROUPS, generationShift } from "../contract/slice.js";
import { MOST_POINTS, pointStride } from "./checkpoints.js";

export class TimeAxis {
  /** Number of the newest slice; -1 before the first. */
  slice = -1;
  /** Slices per point. */
  stride = 1;
  /** Generation of a block = birth slice >> shift. */
  shift = 0;
  /** Seconds of the newest slice. */
  time = 0;
  readonly #times = new Float64Array(MOST_POINTS + 1);
  readonly #endTimes = new Float64Array(GENERATION_GROUPS);

  /** Goes on to a later slice; slices that were left out end when it does. */
  advance(slice: number, time: number): void {
    const stride = pointStride(slice);
    const previous = this.slice;
    this.#thin(stride);
    this.#merge(generationShift(slice));
    this.slice = slice;
    this.time = time;
    const nextPoint = Math.floor(previous / stride) + 1;
    for (let point = nextPoint; point * stride <= slice; point++) this.#times[point] = time;
    const generation = slice >>> this.shift;
    const begun = previous < 0 ? -1 : previous >>> this.shift;
    for (let g = Math.min(begun + 1, generation); g <= generation; g++) this.#endTimes[g] = time;
  }

  /** Points of a series: every stride-th slice, and the newest. */
  get points(): number {
    return Math.floor(this.slice / this.stride) + 1 + (this.slice % this.stride === 0 ? 0 : 1);
  }

  /** Generations that have begun. */
  get generations(): number {
    return (this.slice >>> this.shift) + 1;
  }

  /** Seconds of the points; valid until the next slice. */
  times(): Float64Array {
    const { points } = this;
    if (this.slice % this.stride !== 0) this.#times[points - 1] = this.time;
    return this.#times.subarray(0, points);
  }

  /** Seconds at which the generations ended; valid until the next slice. */
  endTimes(): Float64Array {
    return this.#endTimes.subarray(0, this.generations);
  }

  #thin(stride: number): void {
    for (; this.stride < stride; this.stride *= 2)
      for (let point = 0; 2 * point <= MOST_POINTS; point++)
        this.#times[point] = this.#times[2 * point]!;
  }

  #merge(shift: number): void {
    if (this.slice < 0) this.shift = shift;
    for (; this.shift < shift; this.shift++) {
      const last = this.slice >>> this.shift;
      for (let g = 0; 2 * g <= last; g++)
        this.#endTimes[g] = this.#endTimes[Math.min(2 * g + 1, last)]!;
    }
  }
}
