/**
 * The steady clock of a target: ticks at whole multiples of the period after its start, so that it never
 * drifts. A late tick moves no other; missed ones are left out, since two slices at one time say nothing.
 */

/** Time and timers; the real ones, or a test's. */
export interface Timers {
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Calls back once, after at least so many milliseconds; the returned function cancels. */
  readonly after: (milliseconds: number, callback: () => void) => () => void;
}

/** A timer of Node's holds 24.8 days; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const realTimers: Timers = {
  now: () => performance.now(),
  after: (milliseconds, callback) => {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const rest = left - LONGEST_TIMER_MS;
      timer = rest > 0 ? setTimeout(wait, LONGEST_TIMER_MS, rest) : setTimeout(callback, left);
    };
    wait(milliseconds);
    return () => clearTimeout(timer);
  },
};

export class SliceClock {
  readonly #periodMs: number;
  readonly #tick: () => void;
  readonly #timers: Timers;
  readonly #startMs: number;
  #ticks = 0;
  #cancel: (() => void) | null = null;
  #paused = false;
  #stopped = false;

  /**
   * Starts at once; the first tick comes after one period.
   * @param periodSeconds time between two ticks
   */
  constructor(periodSeconds: number, tick: () => void, timers: Timers = realTimers) {
    this.#periodMs = periodSeconds * 1000;
    this.#tick = tick;
    this.#timers = timers;
    this.#startMs = timers.now();
    this.#schedule();
  }

  /** No ticks until resume: the target is stopped and can't change. */
  pause(): void {
    this.#paused = true;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Goes on at the next whole period. */
  resume(): void {
    if (!this.#paused || this.#stopped) return;
    this.#paused = false;
    this.#schedule();
  }

  /** No more ticks, ever. */
  stop(): void {
    this.#stopped = true;
    this.pause();
  }

  #schedule(): void {
    const elapsed = this.#timers.now() - this.#startMs;
    const next = Math.max(this.#ticks, Math.floor(elapsed / this.#periodMs)) + 1;
    const wait = Math.max(0, next * this.#periodMs - elapsed);
    this.#cancel = this.#timers.after(wait, () => {
      this.#ticks = next;
      // Scheduled first: a tick that throws must not be the last one.
      this.#schedule();
      this.#tick();
    });
  }
}
