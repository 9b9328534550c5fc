/** Reads the allocer records: what is new, and how many blocks were found written past their end. */
import { KEY_DEPTH } from "../contract/limits.js";
import { ALLOCER, PAGE_BYTES } from "../contract/segment.js";
import type { AllocerInfo } from "../contract/slice.js";
import { allocer as at } from "./layout.js";
import { visitChanges, WordBuffer } from "./mirror.js";
import type { OpenSegment } from "./open-segment.js";
import type { Refusal } from "./refusal.js";

const WORDS = ALLOCER.size / 4;
const OVERRUNS = at("overruns") / 4;

export class AllocerRecords {
  readonly #segment: OpenSegment;
  readonly #now = new WordBuffer();
  readonly #before = new WordBuffer();
  #known = 0;
  #fresh: AllocerInfo[] = [];
  #overruns: ReadonlyMap<number, number> = new Map();

  constructor(segment: OpenSegment) {
    this.#segment = segment;
  }

  /** Allocers of the last reading that earlier ones did not have. */
  get fresh(): readonly AllocerInfo[] {
    return this.#fresh;
  }

  /** Blocks found written past their end, by allocer; the same map until something changes. */
  get overruns(): ReadonlyMap<number, number> {
    return this.#overruns;
  }

  /** Reads the first `issued` records; an index in them counts only below `modules`. */
  read(issued: number, modules: number): Refusal | null {
    const length = issued * ALLOCER.size;
    const most = this.#segment.header.ceilings.maxAllocers * ALLOCER.size;
    this.#now.reserve(length, most);
    this.#before.reserve(length, most);
    const { allocers } = this.#segment.layout;
    const failure = this.#segment.readAt(this.#now.bytes, length, allocers);
    if (failure) return failure;
    const overruns = new Map(this.#overruns);
    let changed = false;
    visitChanges(this.#now, this.#before, length, PAGE_BYTES, (now, _before, from, to) => {
      for (let base = from; base < to; base += WORDS) {
        const count = now[base + OVERRUNS]!;
        const id = base / WORDS;
        if (count <= (overruns.get(id) ?? 0)) continue;
        overruns.set(id, count);
        changed = true;
      }
    });
    if (changed) this.#overruns = overruns;
    this.#fresh = [];
    for (; this.#known < issued; this.#known++)
      this.#fresh.push(this.#info(this.#known, issued, modules));
    return null;
  }

  #info(id: number, issued: number, modules: number): AllocerInfo {
    const base = id * ALLOCER.size;
    const bytes = this.#now.bytes;
    const depth = Math.min(bytes.readUInt8(base + at("depth")), KEY_DEPTH);
    const key: bigint[] = [];
    for (let level = 0; level < depth; level++)
      key.push(bytes.readBigUInt64LE(base + at("key") + 8 * level));
    const parent = bytes.readUInt32LE(base + at("parent"));
    const module = bytes.readUInt32LE(base + at("module"));
    return {
      id,
      key,
      parentId: parent > 0 && parent < issued && parent !== id ? parent : null,
      moduleIndex: module > 0 && module <= modules ? module - 1 : null,
    };
  }
}
