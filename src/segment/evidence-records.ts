/** Reads the evidence records: frees of older blocks by birth slice, and their ages. */
import { AGE_BUCKETS, BIRTH_SLOTS } from "../contract/limits.js";
import { EVIDENCE } from "../contract/segment.js";
import type { AgeColumns, OldFreeColumns } from "../contract/slice.js";
import { type Damage, differenceU32, differenceU64 } from "./counter.js";
import type { GenerationPlan } from "./generations.js";
import { evidence as at } from "./layout.js";
import { visitChanges, WordBuffer } from "./mirror.js";
import type { OpenSegment } from "./open-segment.js";
import type { Refusal } from "./refusal.js";

/** The field as an index into 32-bit words. */
const word = (name: string): number => at(name) / 4;
const FREED_BLOCKS = word("freedBlocks");
const FREED_BYTES = word("freedBytes");
const AGE_FREES = word("ageFrees");
const ALLOCER = word("allocer");

interface OldFree {
  readonly allocer: number;
  readonly birthSlice: number;
  blocks: number;
  bytes: number;
}

interface Age {
  readonly allocer: number;
  readonly bucket: number;
  readonly blocks: number;
}

export class EvidenceRecords {
  readonly #segment: OpenSegment;
  readonly #plan: GenerationPlan;
  readonly #damage: Damage;
  readonly #now = new WordBuffer();
  readonly #before = new WordBuffer();
  #oldFrees: OldFree[] = [];
  #ages: Age[] = [];

  constructor(segment: OpenSegment, plan: GenerationPlan, damage: Damage) {
    this.#segment = segment;
    this.#plan = plan;
    this.#damage = damage;
  }

  /**
   * Reads the first `records` records; then oldFrees() and ages() say what happened since the last reading.
   * @param issued a record of an allocer from this id on is left for the next reading
   */
  read(records: number, issued: number): Refusal | null {
    this.#oldFrees = [];
    this.#ages = [];
    const length = records * EVIDENCE.size;
    const most = this.#segment.header.ceilings.maxAllocers * EVIDENCE.size;
    this.#now.reserve(length, most);
    this.#before.reserve(length, most);
    const failure = this.#segment.readAt(this.#now.bytes, length, this.#segment.layout.evidence);
    if (failure) return failure;
    visitChanges(this.#now, this.#before, length, EVIDENCE.size, (now, before, from, to) => {
      const allocer = now[from + ALLOCER]!;
      if (allocer < issued) this.#decode(now, before, from, allocer);
      else now.set(before.subarray(from, to), from);
    });
    return null;
  }

  oldFrees(): OldFreeColumns {
    const rows = this.#oldFrees;
    const allocer = new Uint32Array(rows.length);
    const birthSlice = new Uint32Array(rows.length);
    const blocks = new Float64Array(rows.length);
    const bytes = new Float64Array(rows.length);
    rows.forEach((row, i) => {
      allocer[i] = row.allocer;
      birthSlice[i] = row.birthSlice;
      blocks[i] = row.blocks;
      bytes[i] = row.bytes;
    });
    return { allocer, birthSlice, blocks, bytes };
  }

  ages(): AgeColumns {
    const rows = this.#ages;
    const allocer = new Uint32Array(rows.length);
    const bucket = new Uint8Array(rows.length);
    const blocks = new Float64Array(rows.length);
    rows.forEach((row, i) => {
      allocer[i] = row.allocer;
      bucket[i] = row.bucket;
      blocks[i] = row.blocks;
    });
    return { allocer, bucket, blocks };
  }

  #decode(now: Uint32Array, before: Uint32Array, base: number, allocer: number): void {
    const firstRow = this.#oldFrees.length;
    for (let slot = 0; slot < BIRTH_SLOTS; slot++) {
      const bytesAt = base + FREED_BYTES + 2 * slot;
      if (
        now[base + FREED_BLOCKS + slot] === before[base + FREED_BLOCKS + slot] &&
        now[bytesAt] === before[bytesAt] &&
        now[bytesAt + 1] === before[bytesAt + 1]
      )
        continue;
      const blocks = differenceU32(now, before, base + FREED_BLOCKS + slot, this.#damage);
      const bytes = differenceU64(now, before, bytesAt, this.#damage);
      if (blocks === 0 && bytes === 0) continue;
      this.#addOldFree(firstRow, allocer, this.#plan.birthSliceOfSlot(slot), blocks, bytes);
    }
    for (let bucket = 0; bucket < AGE_BUCKETS; bucket++) {
      const blocks = differenceU32(now, before, base + AGE_FREES + bucket, this.#damage);
      if (blocks !== 0) this.#ages.push({ allocer, bucket, blocks });
    }
  }

  /** One row per birth slice: two slots have the same while one of them rests after a merge. */
  #addOldFree(
    firstRow: number,
    allocer: number,
    birthSlice: number,
    blocks: number,
    bytes: number,
  ): void {
    for (let i = firstRow; i < this.#oldFrees.length; i++) {
      const row = this.#oldFrees[i]!;
      if (row.birthSlice !== birthSlice) continue;
      row.blocks += blocks;
      row.bytes += bytes;
      return;
    }
    this.#oldFrees.push({ allocer, birthSlice, blocks, bytes });
  }
}
