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
    visitChanges(this.#now, this.#before, length, EVIDENCE.size, (from, to) => {
      const base = from / 4;
      const allocer = this.#now.words[base + ALLOCER]!;
      if (allocer < issued) this.#decode(base, allocer);
      else this.#before.bytes.copy(this.#now.bytes, from, from, to);
    });
    return null;
  }

  oldFrees(): OldFreeColumns {
    const rows = this.#oldFrees;
    return {
      allocer: Uint32Array.from(rows, (row) => row.allocer),
      birthSlice: Uint32Array.from(rows, (row) => row.birthSlice),
      blocks: Float64Array.from(rows, (row) => row.blocks),
      bytes: Float64Array.from(rows, (row) => row.bytes),
    };
  }

  ages(): AgeColumns {
    const rows = this.#ages;
    return {
      allocer: Uint32Array.from(rows, (row) => row.allocer),
      bucket: Uint8Array.from(rows, (row) => row.bucket),
      blocks: Float64Array.from(rows, (row) => row.blocks),
    };
  }

  #decode(base: number, allocer: number): void {
    const now = this.#now.words;
    const before = this.#before.words;
    const byBirth = new Map<number, OldFree>();
    for (let slot = 0; slot < BIRTH_SLOTS; slot++) {
      const blocks = differenceU32(now, before, base + FREED_BLOCKS + slot, this.#damage);
      const bytes = differenceU64(now, before, base + FREED_BYTES + 2 * slot, this.#damage);
      if (blocks === 0 && bytes === 0) continue;
      // Two slots have one birth slice while one of them rests after a merge.
      const birthSlice = this.#plan.birthSliceOfSlot(slot);
      const row = byBirth.get(birthSlice) ?? { allocer, birthSlice, blocks: 0, bytes: 0 };
      row.blocks += blocks;
      row.bytes += bytes;
      byBirth.set(birthSlice, row);
    }
    this.#oldFrees.push(...byBirth.values());
    for (let bucket = 0; bucket < AGE_BUCKETS; bucket++) {
      const blocks = differenceU32(now, before, base + AGE_FREES + bucket, this.#damage);
      if (blocks !== 0) this.#ages.push({ allocer, bucket, blocks });
    }
  }
}
