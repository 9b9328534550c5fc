/** One run from its start to its report: the target's slices go into the pipeline, names come at the end. */
import { type ProcessReport, REPORT_SCHEMA, type RunReport } from "../contract/report.js";
import type { Slice } from "../contract/slice.js";
import { isCheckpoint, judge, Pipeline } from "../pipeline/index.js";
import { edleakVersion } from "./installation.js";
import type { Launcher } from "./launcher.js";
import { countStates, makeProcessReport } from "./process-report.js";
import { releaseRunLock, takeRunLock } from "./run-lock.js";
import type { StartedTarget } from "./start-target.js";
import { sweep } from "./sweep.js";
import { TargetWatch, type WatchEvent, type WatchOptions } from "./target-watch.js";

/** What happens while a run lasts, for people: nothing depends on it. */
export type SessionEvent =
  | Exclude<WatchEvent, { readonly kind: "slice" }>
  /** After each slice. */
  | {
      readonly kind: "progress";
      readonly slice: number;
      readonly allocers: number;
      readonly liveBytes: number;
      /** Allocers that leak, as of the last evaluation: an alarm, not a first suspicion. */
      readonly leaks: { readonly confirmed: number; readonly likely: number };
    };

export interface SessionOptions extends WatchOptions {
  /** Program and arguments as typed. */
  readonly program: readonly string[];
  /** Names are looked up; false when nobody will read them. */
  readonly names: boolean;
}

export interface SessionResult {
  readonly report: RunReport;
  /** edleak ended the target, because its time was over. */
  readonly timeOver: boolean;
}

/** The slices of the program that runs now, and what was last said of them. */
class Counting {
  readonly pipeline = new Pipeline(judge);
  #allocers = 0;
  #leaks = { confirmed: 0, likely: 0 };

  push(slice: Slice, closing: boolean): void {
    this.pipeline.push(slice, { closing });
    this.#allocers += slice.allocers.length;
    if (!isCheckpoint(slice.index)) return;
    const counts = countStates(this.pipeline.results().filter(({ sustained }) => sustained));
    this.#leaks = { confirmed: counts.confirmed, likely: counts.likely };
  }

  progress(slice: number): SessionEvent {
    return {
      kind: "progress",
      slice,
      allocers: this.#allocers,
      liveBytes: this.pipeline.totals.liveBytes,
      leaks: this.#leaks,
    };
  }
}

/**
 * Watches a started target to its end and reports.
 * @param tell called with what happens meanwhile
 */
export async function runSession(
  launcher: Launcher,
  target: StartedTarget,
  options: SessionOptions,
  tell: (event: SessionEvent) => void,
): Promise<SessionResult> {
  let counting: Counting | null = null;
  const sink = {
    restart: () => {
      counting = new Counting();
    },
    push: (slice: Slice, closing: boolean) => counting?.push(slice, closing),
  };
  const watch = new TargetWatch(launcher, target, options, sink, (event) => {
    if (event.kind !== "slice") tell(event);
    else if (counting !== null) tell(counting.progress(event.slice.index));
  });
  const { segmentDirectory, runId } = target;
  if (segmentDirectory !== "") takeRunLock(segmentDirectory, runId);
  try {
    const end = await watch.untilEnd();
    const { pipeline } = (counting as Counting | null) ?? { pipeline: null };
    pipeline?.finish();
    const { program: argv, period: periodSeconds, names } = options;
    const facts = { target, end, pipeline, argv, periodSeconds, names };
    const report = await makeProcessReport(facts, watch.hurry);
    return { report: runReport([report]), timeOver: end.timeOver };
  } finally {
    watch.close();
    if (segmentDirectory !== "") {
      releaseRunLock(segmentDirectory, runId);
      sweep(segmentDirectory);
    }
  }
}

const runReport = (processes: readonly ProcessReport[]): RunReport => ({
  edleak: { version: edleakVersion(), schema: REPORT_SCHEMA },
  processes,
});
