/**
 * Adds slices up and says what they show: totals, series and evidence of every allocer, verdicts at
 * checkpoints, coverage. Pure: the same slices give the same answers, live and on replay.
 */
import { MIN_SLICES } from "../contract/limits.js";
import type { Coverage, ProcessVerdict } from "../contract/report.js";
import type { LossName } from "../contract/segment.js";
import type { ModuleInfo, Slice } from "../contract/slice.js";
import type { AllocerSeries, Verdict } from "../contract/verdict.js";
import type { AllocerHistory } from "./allocer-history.js";
import { isCheckpoint } from "./checkpoints.js";
import { coverageOf, type Seen, unseenGrowth } from "./coverage.js";
import { Ledger } from "./ledger.js";
import { processVerdictOf } from "./process-verdict.js";
import { type AllocerResult, worstFirst } from "./ranking.js";

/** Judges one allocer. The series is valid during the call only: its arrays are used again. */
export type Judge = (series: AllocerSeries) => Verdict;

function copyOf(series: AllocerSeries): AllocerSeries {
  const { evidence } = series;
  const copy = (values: ArrayLike<number>) => Float64Array.from(values);
  return {
    times: copy(series.times),
    bytes: copy(series.bytes),
    blocks: copy(series.blocks),
    allocs: copy(series.allocs),
    frees: copy(series.frees),
    evidence: evidence && {
      slice: evidence.slice,
      shift: evidence.shift,
      endTimes: copy(evidence.endTimes),
      allocCount: copy(evidence.allocCount),
      liveCount: copy(evidence.liveCount),
      liveBytes: copy(evidence.liveBytes),
      ageFrees: copy(evidence.ageFrees),
    },
  };
}

export interface PushOptions {
  /**
   * The slice was taken after the target had ended. It says what was alive at the very end, but what a
   * program frees in its exit handlers it did not free while it ran: verdicts are of the slice before
   * (unless only the two together are enough slices for a verdict). Default false.
   */
  readonly closing?: boolean;
}

/** Sums over all allocers. */
export interface PipelineTotals {
  readonly liveBytes: number;
  readonly liveBlocks: number;
  readonly allocs: number;
  readonly frees: number;
}

/**
 * @example
 * const pipeline = new Pipeline(judge);
 * for (const slice of slices) pipeline.push(slice);
 * pipeline.finish();
 * pipeline.results()[0]?.verdict.state; // "confirmed"
 */
export class Pipeline {
  readonly #judge: Judge;
  readonly #ledger = new Ledger();
  #overruns: ReadonlyMap<number, number> = new Map();
  #losses: Readonly<Partial<Record<LossName, number>>> = {};
  #slices = 0;
  #closed = false;
  #startTime = 0;
  #startEvents = 0;
  #firstResident: number | null = null;
  #lastResident: number | null = null;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** Slices so far. */
  get slices(): number {
    return this.#slices;
  }

  /** Seconds of the first and of the newest slice. */
  get window(): { readonly from: number; readonly to: number } {
    return { from: this.#startTime, to: this.#ledger.axis.time };
  }

  /** Modules by index. */
  get modules(): ReadonlyMap<number, ModuleInfo> {
    return this.#ledger.modules;
  }

  /** Sums over all allocers, as of the newest slice. */
  get totals(): PipelineTotals {
    const sums = { liveBytes: 0, liveBlocks: 0, allocs: 0, frees: 0 };
    for (const { totals, liveBytes, liveBlocks } of this.#ledger.histories) {
      sums.liveBytes += liveBytes;
      sums.liveBlocks += liveBlocks;
      sums.allocs += totals.allocs;
      sums.frees += totals.frees;
    }
    return sums;
  }

  /**
   * Adds a slice; evaluates when its number is a checkpoint.
   * @throws RangeError when its number is not above that of the slice before
   */
  push(slice: Slice, options: PushOptions = {}): void {
    const { axis } = this.#ledger;
    if (slice.index <= axis.slice)
      throw new RangeError(`slice ${slice.index} after slice ${axis.slice}`);
    const closing = (options.closing ?? false) && this.#slices >= MIN_SLICES;
    if (closing) {
      this.#evaluate(true);
      this.#closed = true;
    }
    this.#ledger.add(slice);
    this.#overruns = slice.overruns;
    this.#losses = slice.losses;
    this.#firstResident ??= slice.residentBytes;
    this.#lastResident = slice.residentBytes ?? this.#lastResident;
    if (this.#slices++ === 0) {
      this.#startTime = slice.time;
      this.#startEvents = this.#ledger.events;
    }
    if (this.#closed || this.#slices < MIN_SLICES) return;
    if (isCheckpoint(slice.index)) this.#evaluate(false);
  }

  /**
   * The run has ended: its last slice is a checkpoint for all allocers, if it has not been one; unless it
   * was the closing one.
   */
  finish(): void {
    if (this.#slices > 0 && !this.#closed) this.#evaluate(true);
  }

  /** All allocers, worst first. Totals are those of the newest slice, verdicts of the last evaluation. */
  results(): readonly AllocerResult[] {
    return Array.from(this.#ledger.histories, (history) => this.#resultOf(history)).sort(
      worstFirst,
    );
  }

  /** The series of an allocer, in arrays of its own; null for an id that no slice named. */
  seriesOf(id: number): AllocerSeries | null {
    const history = this.#ledger.history(id);
    return history ? copyOf(this.#ledger.draw(history)) : null;
  }

  coverage(): Coverage {
    return coverageOf(this.#seen());
  }

  /** @param results what results() gave, if it is at hand */
  processVerdict(results: readonly AllocerResult[] = this.results()): ProcessVerdict {
    const seen = this.#seen();
    return processVerdictOf({
      results,
      coverage: coverageOf(seen),
      slices: this.#slices,
      seconds: this.window.to - this.window.from,
      eventsSinceStart: seen.events - this.#startEvents,
      unseenGrowth: unseenGrowth(seen),
    });
  }

  /** @param all also those of whom it is certain that they are stable still */
  #evaluate(all: boolean): void {
    const { slice, generations } = this.#ledger.axis;
    for (const history of this.#ledger.histories) {
      if (history.judgedAt === slice) continue;
      if (!all && history.isSettled(generations)) continue;
      history.judged(this.#judge(this.#ledger.draw(history)), slice);
    }
  }

  #resultOf(history: AllocerHistory): AllocerResult {
    return {
      id: history.info.id,
      info: history.info,
      liveBytes: history.liveBytes,
      liveBlocks: history.liveBlocks,
      totalAllocs: history.totals.allocs,
      totalFrees: history.totals.frees,
      overruns: this.#overruns.get(history.info.id) ?? 0,
      verdict: history.verdict ?? this.#judge(this.#ledger.draw(history)),
      sustained: history.sustained,
    };
  }

  #seen(): Seen {
    return {
      events: this.#ledger.events,
      losses: this.#losses,
      liveBytes: this.totals.liveBytes,
      resident: { first: this.#firstResident, last: this.#lastResident },
    };
  }
}
