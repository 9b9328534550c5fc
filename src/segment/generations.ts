/**
 * The plan of generations: which id is open during which slice, and which of the 64 counters of an
 * evidence record counts the frees of which births. Pure: it says what to write, SegmentOwner writes.
 *
 * Invariants: ids only rise; an id's slices lie within one group of birth slices (generationShift);
 * groups have a slot each, never more than 64 slots are in use; a slot whose group was merged into
 * another rests for two slices, because a thread may still add to it by the old map, and what it
 * gets meanwhile belongs to the merged group.
 */
import { BIRTH_SLOTS, GENERATION_IDS, IDS_PER_WIDTH } from "../contract/limits.js";
import { generationShift } from "../contract/slice.js";

/** Slices for which a freed slot rests before it counts for another group. */
const REST_SLICES = 2;
const LAST_ID = GENERATION_IDS - 1;

/** Slots by what they count for. Values of `start` stay valid while a slot rests. */
interface Slots {
  /** First birth slice of the group. */
  readonly start: Uint32Array;
  /** 1 while a group has it. */
  readonly used: Uint8Array;
  /** Slice from which a free slot may be used. */
  readonly freeFrom: Float64Array;
}

/** What has to be written before the segment's control word names `id`. */
export interface GenerationStep {
  readonly slice: number;
  /** The id that is open during this slice. */
  readonly id: number;
  /** The id is new: write its entries of both maps. */
  readonly opens: boolean;
  /** Its first slice. */
  readonly birthSlice: number;
  readonly slot: number;
  /** The whole map, when groups were merged. */
  readonly slotOfGen: Uint8Array | null;
  readonly shift: number;
  readonly slots: Slots;
}

const copySlots = (slots: Slots): Slots => ({
  start: slots.start.slice(),
  used: slots.used.slice(),
  freeFrom: slots.freeFrom.slice(),
});

/** Merges groups until one group is `2^shift` slices; the slot of the oldest part keeps counting. */
function mergeGroups(slots: Slots, shift: number, slice: number): Slots {
  const merged = copySlots(slots);
  const kept = new Set<number>();
  const oldestFirst = [...slots.start.keys()]
    .filter((slot) => slots.used[slot])
    .sort((a, b) => slots.start[a]! - slots.start[b]!);
  for (const slot of oldestFirst) {
    const group = slots.start[slot]! >>> shift;
    if (!kept.has(group)) {
      kept.add(group);
      continue;
    }
    merged.used[slot] = 0;
    merged.freeFrom[slot] = slice + REST_SLICES;
  }
  // Also of resting slots: they follow their group, however often that is merged again.
  for (let slot = 0; slot < BIRTH_SLOTS; slot++)
    merged.start[slot] = (slots.start[slot]! >>> shift) * 2 ** shift;
  return merged;
}

/** The slot of the group that `slice` falls into, null when there is none. */
function slotOfGroup(slots: Slots, shift: number, slice: number): number | null {
  for (let slot = 0; slot < BIRTH_SLOTS; slot++)
    if (slots.used[slot] && slots.start[slot]! >>> shift === slice >>> shift) return slot;
  return null;
}

/** Gives the group that begins at `slice` a slot that has rested the longest; null when all are busy. */
function takeSlot(slots: Slots, shift: number, slice: number): number | null {
  let best: number | null = null;
  for (let slot = 0; slot < BIRTH_SLOTS; slot++) {
    if (slots.used[slot] || slots.freeFrom[slot]! > slice) continue;
    if (best === null || slots.freeFrom[slot]! < slots.freeFrom[best]!) best = slot;
  }
  if (best === null) return null;
  slots.used[best] = 1;
  slots.start[best] = (slice >>> shift) * 2 ** shift;
  return best;
}

/**
 * @example
 * const plan = new GenerationPlan();
 * const step = plan.prepare(1); // write step to the segment, and once that is done:
 * plan.commit(step);
 */
export class GenerationPlan {
  /** Ids up to this one were opened by somebody else: born before slice 1. */
  readonly #base: number;
  #id: number;
  #shift = 0;
  #slots: Slots;
  readonly #birthSlice = new Uint32Array(GENERATION_IDS);
  readonly #slotOfGen = new Uint8Array(GENERATION_IDS);

  /** @param base the id that is open during slice 0; 0 in a fresh segment */
  constructor(base = 0) {
    this.#base = base;
    this.#id = base;
    this.#slots = {
      start: new Uint32Array(BIRTH_SLOTS),
      used: new Uint8Array(BIRTH_SLOTS),
      freeFrom: new Float64Array(BIRTH_SLOTS),
    };
    this.#slots.used[0] = 1;
  }

  /** The id that is open. */
  get id(): number {
    return this.#id;
  }

  /** No id is left: births of all further slices count for the last one. */
  get usedUp(): boolean {
    return this.#id >= LAST_ID;
  }

  /** Slices per id, for the id opened next: doubles after each IDS_PER_WIDTH ids. */
  get width(): number {
    return 2 ** Math.floor((this.#id + 1 - this.#base) / IDS_PER_WIDTH);
  }

  /** The whole map id -> slot. */
  get slotOfGen(): Uint8Array {
    return this.#slotOfGen.slice();
  }

  /** First slice of an id's births; null for an id that was never opened. */
  birthSliceOf(id: number): number | null {
    return id <= this.#id ? this.#birthSlice[id]! : null;
  }

  /** First birth slice of those whose frees a slot counts now. A slot that never had a group: 0. */
  birthSliceOfSlot(slot: number): number {
    return this.#slots.start[slot] ?? 0;
  }

  /** What to write so that `slice`, a later one than the last, can begin. Changes nothing. */
  prepare(slice: number): GenerationStep {
    const shift = Math.max(this.#shift, generationShift(slice));
    const merges = shift > this.#shift;
    const slots = merges ? mergeGroups(this.#slots, shift, slice) : copySlots(this.#slots);
    const current = this.#birthSlice[this.#id]!;
    const due = Math.floor(slice / this.width) > Math.floor(current / this.width);
    const slot = due && !this.usedUp ? this.#slotFor(slots, shift, slice) : null;
    const opens = slot !== null;
    const slotOfGen = merges ? this.#remapped(slots, shift) : null;
    if (opens && slotOfGen) slotOfGen[this.#id + 1] = slot;
    return {
      slice,
      id: opens ? this.#id + 1 : this.#id,
      opens,
      birthSlice: opens ? slice : current,
      slot: slot ?? slotOfGroup(slots, shift, current) ?? 0,
      slotOfGen,
      shift,
      slots,
    };
  }

  /** Makes a prepared step the present, after it was written. */
  commit(step: GenerationStep): void {
    this.#shift = step.shift;
    this.#slots = step.slots;
    if (step.slotOfGen) this.#slotOfGen.set(step.slotOfGen);
    if (!step.opens) return;
    this.#id = step.id;
    this.#birthSlice[step.id] = step.birthSlice;
    this.#slotOfGen[step.id] = step.slot;
  }

  #slotFor(slots: Slots, shift: number, slice: number): number | null {
    return slotOfGroup(slots, shift, slice) ?? takeSlot(slots, shift, slice);
  }

  #remapped(slots: Slots, shift: number): Uint8Array {
    const map = this.#slotOfGen.slice();
    for (let id = this.#base + 1; id <= this.#id; id++)
      map[id] = slotOfGroup(slots, shift, this.#birthSlice[id]!) ?? 0;
    return map;
  }
}
