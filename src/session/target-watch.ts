/**
 * Watches a running target to its end: waits for the agent, takes slices on a steady clock, ends the
 * target when its time is over. What the slices mean is somebody else's business (`SliceSink`).
 */
import { constants } from "node:os";
import type { ProcessExit } from "../contract/report.js";
import type { Slice } from "../contract/slice.js";
import type { Launcher, LauncherEvent } from "./launcher.js";
import { fileSeenBy, isStopped, programFileOf, programOf } from "./process-state.js";
import { realTimers, SliceClock, type Timers } from "./slice-clock.js";
import type { StartedTarget } from "./start-target.js";
import { type SegmentProblem, TargetSegment } from "./target-segment.js";

export interface WatchOptions {
  /** Seconds between two slices. */
  readonly period: number;
  /** Seconds after which the target is ended; null: when it ends itself. */
  readonly duration: number | null;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly grace: number;
}

/** Who gets the slices. */
export interface SliceSink {
  /** Counting begins anew: the first slice comes, or the target replaced its program by exec. */
  readonly restart: () => void;
  /** `closing`: the target has ended, and may have tidied up as it did. */
  readonly push: (slice: Slice, closing: boolean) => void;
}

/** What is told while the target runs; for people, nothing depends on it. */
export type WatchEvent =
  | { readonly kind: "slice"; readonly slice: Slice }
  /** The agent didn't appear in time. */
  | { readonly kind: "noAgent" }
  | { readonly kind: "stopped" }
  | { readonly kind: "continued" }
  /** The target became a program (exec) that did not get the agent. */
  | { readonly kind: "lostAgent"; readonly program: string }
  /** `--duration` is over: the target was asked to end. */
  | { readonly kind: "timeOver" }
  | { readonly kind: "signal"; readonly number: number };

/** How it went. */
export interface WatchEnd {
  /** null when the launcher was lost: nobody will tell us. */
  readonly exit: ProcessExit | null;
  /** The target was ended because its time was over. */
  readonly timeOver: boolean;
  /** Seconds from the start to the end. */
  readonly durationSeconds: number;
  readonly slices: number;
  /** The program that was watched last, as the agent sees it; "" when it never appeared. */
  readonly exe: string;
  /** Why the segment could not be read (to its end). */
  readonly problem: SegmentProblem | null;
  /** Times that the target replaced its program (exec) and the agent came along. */
  readonly replaced: number;
  /** The program that it became without the agent, which nothing is known of; null when it didn't. */
  readonly lostTo: string | null;
  readonly coverageFlags: number;
  readonly doubts: ReadingDoubts;
}

/** What was odd in the counters. */
export interface ReadingDoubts {
  /** Counters that went backwards or impossibly far; they count as unchanged. */
  readonly damaged: number;
  /** Times that births may have been charged to a neighbouring slice. */
  readonly approximate: number;
  /** The generation could not be moved on (a full file system): later births count as early ones. */
  readonly stalled: boolean;
}

/** How long the agent may take to appear before that is said; looked for at first every few milliseconds. */
const AGENT_DEADLINE_MS = 2000;
const FIRST_LOOK_MS = 2;
const LAST_LOOK_MS = 50;

/** Between two looks at a stopped target. */
const STOPPED_LOOK_MS = 100;

/** Between two removals of segments that ended children left behind. */
const TIDY_SLICES = 16;

export class TargetWatch {
  readonly #launcher: Launcher;
  readonly #target: StartedTarget;
  readonly #options: WatchOptions;
  readonly #sink: SliceSink;
  readonly #tell: (event: WatchEvent) => void;
  readonly #timers: Timers;
  readonly #segment: TargetSegment | null;
  readonly #cancels = new Set<() => void>();
  #hurryUp: () => void = () => {};
  readonly #hurried = new Promise<void>((resolve) => {
    this.#hurryUp = resolve;
  });
  #clock: SliceClock | null = null;
  #timeOver = false;
  #stopped = false;
  #slices = 0;
  /** File of the program whose segment is read. */
  #file: string | null = null;
  /** File of a program that runs although the agent knows of another: seen once, and seen again. */
  #stranger: string | null = null;
  #lostTo: string | null = null;

  constructor(
    launcher: Launcher,
    target: StartedTarget,
    options: WatchOptions,
    sink: SliceSink,
    tell: (event: WatchEvent) => void,
    timers: Timers = realTimers,
  ) {
    this.#launcher = launcher;
    this.#target = target;
    this.#options = options;
    this.#sink = sink;
    this.#tell = tell;
    this.#timers = timers;
    this.#segment = target.obstacle === null ? new TargetSegment(target) : null;
  }

  /** Resolves when somebody wants edleak to end although the report is not made yet. */
  get hurry(): Promise<void> {
    return this.#hurried;
  }

  /** Resolves when the target has ended and its last state was read, or when the launcher is lost. */
  async untilEnd(): Promise<WatchEnd> {
    const ended = new Promise<ProcessExit | null>((resolve) => {
      this.#launcher.listen((event) => this.#onLauncher(event, resolve));
    });
    this.#waitForAgent(FIRST_LOOK_MS);
    if (this.#options.duration !== null) {
      this.#after(this.#options.duration * 1000 - this.#elapsedMs(), () => this.#endTarget());
    }
    const exit = await ended;
    return this.#finish(exit);
  }

  /** Gives the segment back and removes it. */
  close(): void {
    this.#segment?.end();
  }

  #elapsedMs(): number {
    return this.#timers.now() - this.#target.startedAt;
  }

  #after(milliseconds: number, callback: () => void): void {
    const cancel = this.#timers.after(Math.max(0, milliseconds), () => {
      this.#cancels.delete(cancel);
      callback();
    });
    this.#cancels.add(cancel);
  }

  #onLauncher(event: LauncherEvent, end: (exit: ProcessExit | null) => void): void {
    switch (event.kind) {
      case "stopped":
        this.#clock?.pause();
        this.#stopped = true;
        this.#tell(event);
        this.#watchStopped();
        break;
      case "continued":
        this.#stopped = false;
        this.#clock?.resume();
        this.#tell(event);
        break;
      case "signal":
        this.#tell(event);
        break;
      case "hurry":
        this.#hurryUp();
        break;
      case "ended":
        end(event.exit);
        break;
      case "lost":
        end(null);
        break;
    }
  }

  /** The launcher is stopped with the target; when somebody continues the target alone, it must hear of it. */
  #watchStopped(): void {
    if (!this.#stopped) return;
    if (!isStopped(this.#target.pid)) this.#launcher.wake();
    this.#after(STOPPED_LOOK_MS, () => this.#watchStopped());
  }

  #waitForAgent(milliseconds: number): void {
    if (this.#lookForSlice()) return;
    if (this.#segment === null || this.#elapsedMs() >= AGENT_DEADLINE_MS) {
      if (this.#segment !== null) this.#tell({ kind: "noAgent" });
      this.#startClock();
      return;
    }
    const next = Math.min(LAST_LOOK_MS, milliseconds * 2);
    this.#after(milliseconds, () => this.#waitForAgent(next));
  }

  /** Takes the first slice as soon as there is something to take it from. */
  #lookForSlice(): boolean {
    if (this.#segment?.look() !== "fresh") return false;
    this.#slices = 0;
    // What the agent says it is in, not what runs now: that may have replaced it already.
    const { pid } = this.#target;
    this.#file = fileSeenBy(pid, this.#segment.header?.exe ?? "") ?? programFileOf(pid);
    this.#stranger = null;
    this.#lostTo = null;
    this.#sink.restart();
    this.#clock?.stop();
    this.#take();
    this.#startClock();
    return true;
  }

  #startClock(): void {
    this.#clock = new SliceClock(this.#options.period, () => this.#onTick(), this.#timers);
    if (this.#stopped) this.#clock.pause();
  }

  #onTick(): void {
    if (this.#lookForSlice()) return;
    this.#lookForStranger();
    this.#take();
    if (this.#slices % TIDY_SLICES === 0) this.#segment?.tidy();
  }

  /** A program that replaced ours has had a whole period to bring the agent along: then it hasn't got it. */
  #lookForStranger(): void {
    const running = programFileOf(this.#target.pid);
    if (this.#file === null || running === null) return;
    const stranger = running === this.#file ? null : running;
    const isLost = stranger !== null && stranger === this.#stranger;
    const lostTo = isLost ? programOf(this.#target.pid) : null;
    if (lostTo !== null && lostTo !== this.#lostTo)
      this.#tell({ kind: "lostAgent", program: lostTo });
    this.#lostTo = lostTo;
    this.#stranger = stranger;
  }

  #take(closing = false): void {
    const time = this.#elapsedMs() / 1000;
    const slice = this.#segment?.take(time, (fresh) => this.#sink.push(fresh, closing)) ?? null;
    if (slice === null) return;
    this.#slices++;
    this.#tell({ kind: "slice", slice });
  }

  /** `--duration` is over: what was alive then is read first, since the target may tidy up as it ends. */
  #endTarget(): void {
    this.#timeOver = true;
    this.#onTick();
    this.#tell({ kind: "timeOver" });
    this.#launcher.kill(constants.signals.SIGTERM);
    this.#after(this.#options.grace * 1000, () => this.#launcher.kill(constants.signals.SIGKILL));
  }

  #finish(exit: ProcessExit | null): WatchEnd {
    for (const cancel of this.#cancels) cancel();
    this.#clock?.stop();
    const durationSeconds = this.#elapsedMs() / 1000;
    // The last state, also of a target that was gone before we first looked.
    if (!this.#lookForSlice()) this.#take(exit !== null);
    this.#clock?.stop();
    const owner = this.#segment?.owner ?? null;
    return {
      exit,
      timeOver: this.#timeOver,
      durationSeconds,
      slices: this.#slices,
      exe: this.#segment?.header?.exe ?? "",
      problem: this.#segment?.problem ?? null,
      replaced: this.#segment?.replaced ?? 0,
      lostTo: this.#lostTo,
      coverageFlags: owner?.reader.coverageFlags ?? 0,
      doubts: {
        damaged: owner?.reader.damaged ?? 0,
        approximate: owner?.reader.approximate ?? 0,
        stalled: (owner?.stalled ?? 0) > 0,
      },
    };
  }
}
