/**
 * Reads the counter lines of the shards: latch, lines, latch again, so that the latch says to which
 * generations the lines belong.
 */
import { LINE, PAGE_BYTES, SHARD, SHARDS_OFFSET, ShardKind } from "../contract/segment.js";
import type { BirthSums, BirthTable } from "./birth-table.js";
import { type Damage, differenceU64 } from "./counter.js";
import type { GenerationPlan } from "./generations.js";
import { line as lineAt, shard as shardAt } from "./layout.js";
import { visitChanges, WordBuffer } from "./mirror.js";
import type { OpenSegment } from "./open-segment.js";
import type { Refusal } from "./refusal.js";

/** A latch moves at most once while a slice is read, so the second reading is nearly always the last. */
const MAX_READINGS = 4;
/** Of the id that was open at the last reading, by a thread that had slept, and of the one opened since. */
const MOST_LATCHES = 2;
const LINE_WORDS = LINE.size / 4;
const PHASE_WORDS = (lineAt("allocs1") - lineAt("allocs0")) / 4;
const LATCH = shardAt("latch");
/** Bytes of line copies at most: the default ceilings need 82 MB, a hostile header claims terabytes. */
const MOST_LINE_BYTES = 128 * 1024 * 1024;

/** What the slice could not attribute for certain. */
export interface Doubts extends Damage {
  /** Shards whose births may have been charged to a neighbouring generation. */
  approximate: number;
}

/** A shard's latch word, taken apart. */
interface Latch {
  readonly generations: readonly [number, number];
  /** Latches so far. */
  readonly count: number;
}

/** Takes a latch word apart, given as two 32-bit halves. */
const parseLatch = (low: number, high: number): Latch => ({
  generations: [low & 0xfff, (low >>> 12) & 0xfff],
  count: high * 256 + (low >>> 24),
});

interface ShardCopy {
  readonly lines: WordBuffer;
  latches: number;
}

export class ShardLines {
  readonly #segment: OpenSegment;
  readonly #plan: GenerationPlan;
  readonly #doubts: Doubts;
  readonly #headers: Buffer;
  readonly #oneHeader = Buffer.alloc(SHARD.size);
  readonly #now = new WordBuffer();
  readonly #copies: (ShardCopy | undefined)[] = [];

  constructor(segment: OpenSegment, plan: GenerationPlan, doubts: Doubts) {
    this.#segment = segment;
    this.#plan = plan;
    this.#doubts = doubts;
    this.#headers = Buffer.alloc(segment.header.ceilings.shardCount * SHARD.size);
  }

  /**
   * Adds what happened since the last reading to `births`.
   * @param issued lines of allocers below this id exist
   */
  read(issued: number, births: BirthTable): Refusal | null {
    const failure = this.#segment.readAt(this.#headers, this.#headers.length, SHARDS_OFFSET);
    if (failure) return failure;
    const used: number[] = [];
    for (let s = 0; s < this.#segment.header.ceilings.shardCount; s++)
      if (this.#headers.readUInt32LE(s * SHARD.size + shardAt("kind")) !== ShardKind.unused)
        used.push(s);
    if (used.length * issued * LINE.size > MOST_LINE_BYTES)
      return { kind: "badLayout", field: "allocersIssued" };
    for (const s of used) {
      const refusal = this.#readShard(s, issued, births);
      if (refusal) return refusal;
    }
    return null;
  }

  #readShard(s: number, issued: number, births: BirthTable): Refusal | null {
    const { maxAllocers } = this.#segment.header.ceilings;
    const linesAt = this.#segment.layout.lines + s * this.#segment.layout.shardStride;
    const length = issued * LINE.size;
    this.#now.reserve(length, maxAllocers * LINE.size);
    let latch = this.#headers.readBigUInt64LE(s * SHARD.size + LATCH);
    for (let reading = 1; ; reading++) {
      const refusal =
        this.#segment.readAt(this.#now.bytes, length, linesAt) ??
        this.#segment.readAt(this.#oneHeader, SHARD.size, SHARDS_OFFSET + s * SHARD.size);
      if (refusal) return refusal;
      const after = this.#oneHeader.readBigUInt64LE(LATCH);
      if (after === latch) break;
      latch = after;
      if (reading < MAX_READINGS) continue;
      this.#doubts.approximate++;
      break;
    }
    this.#decode(s, parseLatch(Number(latch & 0xffff_ffffn), Number(latch >> 32n)), length, births);
    return null;
  }

  #decode(s: number, latch: Latch, length: number, births: BirthTable): void {
    let copy = this.#copies[s];
    if (copy && latch.count - copy.latches > MOST_LATCHES) this.#doubts.approximate++;
    copy ??= { lines: new WordBuffer(), latches: 0 };
    copy.latches = latch.count;
    this.#copies[s] = copy;
    copy.lines.reserve(length, this.#segment.header.ceilings.maxAllocers * LINE.size);
    const sums = latch.generations.map(
      (generation) => new LazySums(() => births.of(this.#birthSlice(generation))),
    ) as [LazySums, LazySums];
    visitChanges(this.#now, copy.lines, length, PAGE_BYTES, (now, before, from, to) => {
      decodePhase(now, before, from, to, 0, sums[0], this.#doubts);
      decodePhase(now, before, from, to, PHASE_WORDS, sums[1], this.#doubts);
    });
  }

  /** By our own plan, whatever the file says. An id we didn't open can only be damage: it is now. */
  #birthSlice(generation: number): number {
    const known = this.#plan.birthSliceOf(generation);
    if (known !== null) return known;
    this.#doubts.approximate++;
    return this.#plan.birthSliceOf(this.#plan.id) ?? 0;
  }
}

/** Sums that are made when the first difference is found: a phase that rests may name any old generation. */
class LazySums {
  readonly #make: () => BirthSums;
  #sums: BirthSums | null = null;

  constructor(make: () => BirthSums) {
    this.#make = make;
  }

  get(): BirthSums {
    this.#sums ??= this.#make();
    return this.#sums;
  }
}

/**
 * Adds the differences of one phase of the lines in words [from, to): at `phase` words into a line there
 * are allocs, bytes, frees, freed bytes, of 64 bits each.
 */
function decodePhase(
  now: Uint32Array,
  before: Uint32Array,
  from: number,
  to: number,
  phase: number,
  sums: LazySums,
  damage: Damage,
): void {
  for (let at = from + phase; at < to; at += LINE_WORDS) {
    let differs = 0;
    for (let word = at; word < at + PHASE_WORDS; word++) differs |= now[word]! ^ before[word]!;
    if (differs === 0) continue;
    const blocks = differenceU64(now, before, at, damage);
    const bytes = differenceU64(now, before, at + 2, damage);
    const frees = differenceU64(now, before, at + 4, damage);
    const freedBytes = differenceU64(now, before, at + 6, damage);
    sums.get().add((at - phase) / LINE_WORDS, blocks, bytes, frees, freedBytes);
  }
}
