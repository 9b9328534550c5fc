/** Survivors of one allocer by generation, and the ages at which its blocks were freed. */
import { AGE_BUCKETS } from "../contract/limits.js";
import { GENERATION_GROUPS } from "../contract/slice.js";

/** Arrays that `GenerationCounts.draw` fills. */
export interface GenerationArrays {
  readonly allocCount: Float64Array;
  readonly liveCount: Float64Array;
  readonly liveBytes: Float64Array;
}

export class GenerationCounts {
  /** Blocks born; of those, alive; their bytes. In flight, a live count may be slightly negative. */
  readonly born = new Float64Array(GENERATION_GROUPS);
  readonly alive = new Float64Array(GENERATION_GROUPS);
  readonly aliveBytes = new Float64Array(GENERATION_GROUPS);
  /** Blocks freed by age: bucket 0 in their own generation, b at 2^(b-1) .. 2^b - 1 slices. */
  readonly ageFrees = new Float64Array(AGE_BUCKETS);

  /** Merges pairs of generations: of `generations` there were, half remain. */
  merge(generations: number): void {
    for (const counts of [this.born, this.alive, this.aliveBytes]) {
      for (let g = 0; 2 * g < generations; g++)
        counts[g] = counts[2 * g]! + (2 * g + 1 < generations ? counts[2 * g + 1]! : 0);
      counts.fill(0, Math.ceil(generations / 2));
    }
  }

  /** Live blocks from one generation up to, not including, another. */
  aliveIn(from: number, to: number): number {
    let sum = 0;
    for (let g = from; g < to; g++) sum += this.alive[g]!;
    return sum;
  }

  /** Fills the first `generations` values of each array, without what is in flight. */
  draw(generations: number, into: GenerationArrays): void {
    for (let g = 0; g < generations; g++) {
      into.allocCount[g] = this.born[g]!;
      into.liveCount[g] = Math.max(0, this.alive[g]!);
      into.liveBytes[g] = Math.max(0, this.aliveBytes[g]!);
    }
  }
}
