/**
 * What one allocer's totals were over time, kept as the points at which they changed: most allocers of a
 * process do nothing most of the time.
 */

/** Totals since the start. Differences may be slightly negative while events are in flight. */
export interface Totals {
  allocs: number;
  frees: number;
  bytes: number;
  freedBytes: number;
}

/** Figures of one entry: cumulative allocs, frees, live bytes. */
const WIDTH = 3;
const FIRST_ROOM = 4;

/** Arrays that `Curve.draw` fills. */
export interface CurveArrays {
  readonly bytes: Float64Array;
  readonly blocks: Float64Array;
  readonly allocs: Float64Array;
  readonly frees: Float64Array;
}

export class Curve {
  /** The point (slice / stride, rounded up) from which an entry holds. */
  #points = new Uint32Array(FIRST_ROOM);
  #values = new Float64Array(FIRST_ROOM * WIDTH);
  #length = 0;

  /** Notes the totals after a slice that falls into this point; a later one in the same point replaces it. */
  note(point: number, totals: Totals): void {
    if (this.#length === 0 || this.#points[this.#length - 1] !== point) {
      if (this.#length === this.#points.length) this.#grow();
      this.#points[this.#length++] = point;
    }
    const at = (this.#length - 1) * WIDTH;
    this.#values[at] = totals.allocs;
    this.#values[at + 1] = totals.frees;
    this.#values[at + 2] = totals.bytes - totals.freedBytes;
  }

  /** Points are twice as far apart from now on. */
  thin(): void {
    let kept = 0;
    for (let i = 0; i < this.#length; i++) {
      const point = Math.ceil(this.#points[i]! / 2);
      if (kept === 0 || this.#points[kept - 1] !== point) kept++;
      this.#points[kept - 1] = point;
      this.#values.copyWithin((kept - 1) * WIDTH, i * WIDTH, (i + 1) * WIDTH);
    }
    this.#length = kept;
  }

  /** Fills `points` values of each array: the totals at each point, zeros before the first entry. */
  draw(points: number, into: CurveArrays): void {
    let entry = -1;
    for (let point = 0; point < points; point++) {
      while (entry + 1 < this.#length && this.#points[entry + 1]! <= point) entry++;
      const at = entry * WIDTH;
      const allocs = entry < 0 ? 0 : this.#values[at]!;
      const frees = entry < 0 ? 0 : this.#values[at + 1]!;
      into.allocs[point] = allocs;
      into.frees[point] = frees;
      into.blocks[point] = Math.max(0, allocs - frees);
      into.bytes[point] = entry < 0 ? 0 : Math.max(0, this.#values[at + 2]!);
    }
  }

  #grow(): void {
    const points = new Uint32Array(this.#points.length * 2);
    const values = new Float64Array(this.#values.length * 2);
    points.set(this.#points);
    values.set(this.#values);
    this.#points = points;
    this.#values = values;
  }
}
