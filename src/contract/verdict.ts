/** What is said of an allocer and of a process, and the series it is said from. */

export type GrowthClass = "const" | "log" | "linear" | "exp";

/** In the order of how bad they are. */
export const STATES = ["undecided", "stable", "filling", "suspect", "likely", "confirmed"] as const;
export type State = (typeof STATES)[number];

export const PROCESS_STATES = ["leaks", "suspect", "clean", "undecided", "unseen"] as const;
export type ProcessState = (typeof PROCESS_STATES)[number];

/**
 * Survivors by generation, as the classifier's specification asks for them (3.1). Generation of a block
 * = birth slice >> shift; generation 0 is what was there before the first slice and never counts as growth.
 */
export interface Evidence {
  /** Number of the last slice. */
  readonly slice: number;
  readonly shift: number;
  /** Seconds at which generation g ended: time of slice min((g + 1) * 2^shift - 1, slice). */
  readonly endTimes: ArrayLike<number>;
  readonly allocCount: ArrayLike<number>;
  readonly liveCount: ArrayLike<number>;
  readonly liveBytes: ArrayLike<number>;
  /** Blocks freed so far by age; bucket 0 is age 0, b >= 1 holds 2^(b-1) .. 2^b - 1 slices. */
  readonly ageFrees: ArrayLike<number>;
}

/** One allocer over time; all arrays have the length of `times`. */
export interface AllocerSeries {
  /** Seconds; may be irregular. */
  readonly times: ArrayLike<number>;
  readonly bytes: ArrayLike<number>;
  readonly blocks: ArrayLike<number>;
  /** Cumulative. */
  readonly allocs: ArrayLike<number>;
  readonly frees: ArrayLike<number>;
  /** null when only the byte curve is known. */
  readonly evidence: Evidence | null;
}

/** A growth rate in bytes per second with its 95 % interval. */
export interface Rate {
  readonly rate: number;
  readonly rateLow: number;
  readonly rateHigh: number;
}

/** Which part of the classifier decided. */
export type VerdictPath = "survivors" | "container" | "massRelease" | "balance" | "tooShort";

/** The counts behind a verdict; what the sentence is made of. */
export interface VerdictFacts {
  /** Slices after which this allocer's blocks are normally no longer freed, and the same in seconds. */
  readonly maturitySlices: number;
  readonly maturitySeconds: number;
  /** Blocks older than that which are alive, and which were freed at such an age. */
  readonly matureAlive: number;
  readonly matureFreed: number;
  /** Generations with such survivors, of the generations that are old enough to have any. */
  readonly growthEvents: number;
  readonly generations: number;
  /** Seconds since the youngest mature survivor's generation ended. */
  readonly sinceLastEvent: number;
  /** Share of the growth that happened in the first third of the window, 0 to 1. */
  readonly firstThirdShare: number;
}

/** The verdict on one allocer, about one window of time; retractable. */
export interface Verdict {
  readonly state: State;
  /** null while undecided. */
  readonly class: GrowthClass | null;
  /** Natural logarithm of the likelihood ratio leak : benign, with its gates (specification 3.2). */
  readonly score: number;
  readonly path: VerdictPath;
  /** Bytes gained over the window; 0 for const and undecided. */
  readonly leakBytes: number;
  readonly rate: Rate;
  readonly window: { readonly from: number; readonly to: number; readonly slices: number };
  readonly facts: VerdictFacts;
  /** The evidence in words. */
  readonly sentence: string;
  /** What would settle a doubt; null when nothing is open. */
  readonly advice: string | null;
}
