/** What a run has to say: the input of every reporter and, as it stands, the JSON output (docs/formats/report.schema.json). */
import type { LossName } from "./segment.js";
import type { GrowthClass, ProcessState, Verdict } from "./verdict.js";

/** Version of the JSON report. */
export const REPORT_SCHEMA = 1;

/** One frame of a stack; an inlined call is a frame of its own, before the function it is inlined into. */
export interface Frame {
  /** Hex string, "0x7f7aa7ac4df4". */
  readonly address: string;
  /** Path of the module, or "" when not known. */
  readonly module: string;
  readonly buildId: string;
  /** Hex string: ELF virtual address within the module. */
  readonly offset: string;
  readonly function?: string;
  readonly file?: string;
  readonly line?: number;
  readonly inlined: boolean;
}

export interface LeakFactor {
  readonly class: GrowthClass | null;
  /** Bytes gained over the window; 0 for const and undecided. */
  readonly leak: number;
  readonly rate: number;
  readonly rateLow: number;
  readonly rateHigh: number;
}

export interface AllocerReport {
  readonly id: number;
  readonly parentId: number | null;
  /** Stable over restarts and rebuilds: module + function + call path. */
  readonly key: string;
  /** Innermost first: "0x7f7aa7ac4df4:String::AppendString(char const*, unsigned int)". */
  readonly stack: readonly string[];
  /** Same indices as stack, but for inlined frames, which come before the frame that holds them. */
  readonly frames: readonly Frame[];
  readonly liveBytes: number;
  readonly liveBlocks: number;
  readonly totalAllocs: number;
  readonly totalFrees: number;
  /** Blocks of this allocer found written past their end. */
  readonly overruns: number;
  readonly leakFactor: LeakFactor;
  readonly verdict: Verdict;
  /** Score above the threshold at two evaluations in a row: what an alarm needs. */
  readonly sustained: boolean;
}

export interface Coverage {
  /** Events counted as a share of these and the lost ones, 0 to 1; null when there was no event. */
  readonly seen: number | null;
  /** Events lost, by reason; only reasons that occurred. */
  readonly lost: Partial<Readonly<Record<LossName, number>>>;
  /** Sum of the losses that matter (not the harmless ones). */
  readonly lostEvents: number;
  readonly events: number;
  /** Sentences about what is not seen. */
  readonly notes: readonly string[];
}

/** How the process ended; both null while it runs. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ProcessVerdict {
  readonly state: ProcessState;
  readonly sentence: string;
  readonly advice: string | null;
}

export interface ProcessReport {
  readonly pid: number;
  readonly exe: string;
  readonly argv: readonly string[];
  /** ISO 8601. */
  readonly startTime: string;
  readonly durationSeconds: number;
  readonly slices: number;
  readonly periodSeconds: number;
  readonly exit: ProcessExit;
  readonly verdict: ProcessVerdict;
  readonly coverage: Coverage;
  readonly totals: {
    readonly liveBytes: number;
    readonly liveBlocks: number;
    readonly allocs: number;
    readonly frees: number;
    readonly allocers: number;
    /** Allocers by state, those not listed in `allocers` included. */
    readonly byState: Readonly<Record<Verdict["state"], number>>;
  };
  /** Worst first: all that are not stable, and the 50 largest. */
  readonly allocers: readonly AllocerReport[];
}

export interface RunReport {
  readonly edleak: { readonly version: string; readonly schema: number };
  readonly processes: readonly ProcessReport[];
}
