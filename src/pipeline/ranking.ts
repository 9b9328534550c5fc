/** The order in which allocers are shown: worst first. */
import type { AllocerInfo } from "../contract/slice.js";
import { STATES, type Verdict } from "../contract/verdict.js";

/** One allocer as of the newest slice; its verdict is that of the last evaluation. */
export interface AllocerResult {
  readonly id: number;
  readonly info: AllocerInfo;
  /** Bytes asked for and not given back. */
  readonly liveBytes: number;
  readonly liveBlocks: number;
  readonly totalAllocs: number;
  readonly totalFrees: number;
  /** Blocks found written past their end. */
  readonly overruns: number;
  readonly verdict: Verdict;
  /** Score above the threshold at two evaluations in a row: what an alarm needs. */
  readonly sustained: boolean;
}

const rank = ({ verdict }: AllocerResult): number => STATES.indexOf(verdict.state);

/** By state; confirmed ones by what they cost, doubtful ones by how likely they are; then by live bytes. */
export function worstFirst(a: AllocerResult, b: AllocerResult): number {
  const byState = rank(b) - rank(a);
  if (byState !== 0) return byState;
  const key = ({ verdict }: AllocerResult): number =>
    verdict.state === "confirmed" || verdict.state === "filling"
      ? verdict.leakBytes
      : verdict.state === "likely" || verdict.state === "suspect"
        ? verdict.score
        : 0;
  return key(b) - key(a) || b.liveBytes - a.liveBytes || a.id - b.id;
}
