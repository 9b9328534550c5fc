/**
 * The slice as it travels through the host: what happened to every allocer since the slice before.
 *
 * Slices are deltas in columns, because a recording is a run of them and 5 000 allocers must cost
 * little; the pipeline adds them up. Everything a verdict needs is in here: a replayed recording
 * re-enters at this type.
 */
import type { LossName } from "./segment.js";

/**
 * Groups of birth slices that are counted apart: one less than the birth slots of a segment, so that a
 * slot whose group was merged away can rest before it is used again.
 */
export const GENERATION_GROUPS = 63;

/**
 * How coarse birth slices are once `slice` is the last one: a block's generation is
 * `birthSlice >> generationShift(slice)`, and there are at most GENERATION_GROUPS of them. Segment and
 * pipeline both follow it, so counters of the agent never straddle two generations of a verdict.
 */
export function generationShift(slice: number): number {
  let shift = 0;
  while (Math.floor(slice / 2 ** shift) >= GENERATION_GROUPS) shift++;
  return shift;
}

/** A loaded ELF object. Addresses are bigint: they leave the host only as hex strings. */
export interface ModuleInfo {
  readonly index: number;
  readonly start: bigint;
  readonly end: bigint;
  /** Run-time address minus ELF virtual address. */
  readonly bias: bigint;
  readonly path: string;
  /** Hex digits; empty when the object has none. */
  readonly buildId: string;
  readonly loadEpoch: number;
  readonly flags: { readonly agent: boolean; readonly executable: boolean; readonly vdso: boolean };
}

/** What an allocer is; does not change while the target lives. */
export interface AllocerInfo {
  readonly id: number;
  /** Return addresses, innermost first; empty for allocer 0, "unattributed". */
  readonly key: readonly bigint[];
  readonly parentId: number | null;
  /** Index into the modules, of key[0]; null when the agent didn't know it. */
  readonly moduleIndex: number | null;
}

/** Births and frees within the same generation since the slice before, one row per (allocer, birth slice). */
export interface BirthColumns {
  readonly allocer: Uint32Array;
  /** Slice in which the blocks first appear. */
  readonly birthSlice: Uint32Array;
  readonly blocks: Float64Array;
  readonly bytes: Float64Array;
  /** Blocks of that same birth slice freed. */
  readonly frees: Float64Array;
  readonly freedBytes: Float64Array;
}

/** Frees of older blocks since the slice before, one row per (allocer, birth slice). */
export interface OldFreeColumns {
  readonly allocer: Uint32Array;
  /** First slice of the group of birth slices that shares a counter. */
  readonly birthSlice: Uint32Array;
  readonly blocks: Float64Array;
  readonly bytes: Float64Array;
}

/** Ages of those older blocks, one row per (allocer, bucket); bucket b >= 1 holds 2^(b-1) .. 2^b - 1 slices. */
export interface AgeColumns {
  readonly allocer: Uint32Array;
  readonly bucket: Uint8Array;
  readonly blocks: Float64Array;
}

export interface Slice {
  /** 0, 1, 2 ...; slice 0 holds everything from before the host looked. */
  readonly index: number;
  /** Seconds on a steady clock since the run began. */
  readonly time: number;
  readonly births: BirthColumns;
  readonly oldFrees: OldFreeColumns;
  readonly ages: AgeColumns;
  /** Allocers and modules that are new in this slice. */
  readonly allocers: readonly AllocerInfo[];
  readonly modules: readonly ModuleInfo[];
  /** Blocks found written past their end, cumulative, of the allocers that have any. */
  readonly overruns: ReadonlyMap<number, number>;
  /** Events lost so far, by reason. */
  readonly losses: Readonly<Record<LossName, number>>;
  /** Resident bytes of the target (/proc), null when not known. */
  readonly residentBytes: number | null;
}
