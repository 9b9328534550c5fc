/** All that is known of one allocer: totals, curve, generations, and what was said of it last. */
import type { AllocerInfo } from "../contract/slice.js";
import type { Verdict } from "../contract/verdict.js";
import { Curve, type Totals } from "./curve.js";
import { GenerationCounts } from "./generation-counts.js";

/** States that an alarm is raised for once they hold twice in a row. */
const alarming = (verdict: Verdict): boolean =>
  verdict.state === "likely" || verdict.state === "confirmed";

export class AllocerHistory {
  readonly info: AllocerInfo;
  readonly totals: Totals = { allocs: 0, frees: 0, bytes: 0, freedBytes: 0 };
  readonly curve = new Curve();
  readonly generations = new GenerationCounts();
  #verdict: Verdict | null = null;
  #judgedAt = -1;
  #alarms = 0;
  /** Live bytes at the last evaluation. */
  #judgedBytes = 0;

  constructor(info: AllocerInfo) {
    this.info = info;
  }

  get liveBlocks(): number {
    return Math.max(0, this.totals.allocs - this.totals.frees);
  }

  /** Bytes asked for and not given back. */
  get liveBytes(): number {
    return Math.max(0, this.totals.bytes - this.totals.freedBytes);
  }

  /** The verdict of the last evaluation, null before the first. */
  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** Slice of the last evaluation, -1 before the first. */
  get judgedAt(): number {
    return this.#judgedAt;
  }

  /** Above the threshold at this and the evaluation before. */
  get sustained(): boolean {
    return this.#alarms >= 2;
  }

  /** Takes the verdict of an evaluation at a slice. */
  judged(verdict: Verdict, slice: number): void {
    this.#verdict = verdict;
    this.#judgedAt = slice;
    this.#alarms = alarming(verdict) ? this.#alarms + 1 : 0;
    this.#judgedBytes = this.liveBytes;
  }

  /**
   * Is it certain that an evaluation would say `stable` again? It would if nothing that was born in
   * slice 1 or later has got a generation old, and bytes have not grown: then there are neither
   * mature survivors nor a growing container.
   * @param generations generations that have begun
   */
  isSettled(generations: number): boolean {
    if (this.#verdict?.state !== "stable" || this.liveBytes > this.#judgedBytes) return false;
    return this.generations.aliveIn(1, generations - 1) <= 0;
  }
}
