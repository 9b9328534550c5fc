import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "../base/testing/random-numbers.js";
import { BIRTH_SLOTS, GENERATION_IDS } from "../contract/limits.js";
import { GENERATION_GROUPS, generationShift } from "../contract/slice.js";
import { GenerationPlan } from "./generations.js";

/** Opens the next slice as the owner does. */
const advance = (plan: GenerationPlan, slice: number) => {
  const step = plan.prepare(slice);
  plan.commit(step);
  return step;
};

/** Ids of the plan with their group, slot and whether the invariants hold for them. */
function checkMap(plan: GenerationPlan, base: number, slice: number): void {
  const map = plan.slotOfGen;
  const shift = generationShift(slice);
  const groupOfSlot = new Map<number, number>();
  const slotOfGroup = new Map<number, number>();
  for (let id = base; id <= plan.id; id++) {
    const birth = plan.birthSliceOf(id)!;
    const group = Math.floor(birth / 2 ** shift);
    const slot = map[id]!;
    if ((groupOfSlot.get(slot) ?? group) !== group)
      throw new Error(`slot ${slot} counts for two groups`);
    if ((slotOfGroup.get(group) ?? slot) !== slot) throw new Error(`group ${group} has two slots`);
    if (plan.birthSliceOfSlot(slot) !== group * 2 ** shift)
      throw new Error(`slot ${slot} starts wrong`);
    groupOfSlot.set(slot, group);
    slotOfGroup.set(group, slot);
  }
  expect(groupOfSlot.size).toBeLessThanOrEqual(BIRTH_SLOTS);
}

describe("how birth slices are grouped", () => {
  test("there are at most 63 groups, and the shift grows by one at a time", () => {
    let before = 0;
    for (let slice = 0; slice < 70_000; slice++) {
      const shift = generationShift(slice);
      const grown = shift - before;
      const asLate = grown === 0 || (slice - 1) >> before === GENERATION_GROUPS - 1;
      if (slice >> shift >= GENERATION_GROUPS || grown < 0 || grown > 1 || !asLate)
        throw new Error(`wrong shift ${shift} at slice ${slice}`);
      before = shift;
    }
    expect(before).toBe(11);
  });
});

describe("the plan of generations", () => {
  test("opens an id per slice for the first 256, then one per 2, 4, 8 slices", () => {
    const plan = new GenerationPlan();
    const births = [plan.birthSliceOf(0)];
    for (let slice = 1; slice < 2000; slice++) {
      const step = advance(plan, slice);
      if (step.opens) births.push(step.birthSlice);
    }
    expect(births.slice(0, 256)).toEqual(Array.from({ length: 256 }, (_, id) => id));
    expect(births.slice(256, 512)).toEqual(Array.from({ length: 256 }, (_, i) => 256 + 2 * i));
    expect(births.slice(512, 768)).toEqual(Array.from({ length: 256 }, (_, i) => 768 + 4 * i));
    expect(births.slice(768)).toEqual(Array.from({ length: 26 }, (_, i) => 1792 + 8 * i));
  });

  test("holds its invariants over 100 000 slices", () => {
    const plan = new GenerationPlan();
    const freed = new Map<number, number>();
    let opened = 0;
    let merges = 0;
    for (let slice = 1; slice <= 100_000; slice++) {
      const map = plan.slotOfGen;
      const id = plan.id;
      const step = advance(plan, slice);
      if (step.slotOfGen) {
        merges++;
        const kept = new Set(step.slotOfGen.subarray(0, id + 1));
        for (const slot of new Set(map.subarray(0, id + 1)))
          if (!kept.has(slot)) freed.set(slot, slice);
        checkMap(plan, 0, slice);
      }
      if (step.opens) {
        opened++;
        if (step.id !== id + 1) throw new Error(`id ${step.id} after ${id}`);
        if (!map.subarray(0, id + 1).includes(step.slot)) {
          if (slice - (freed.get(step.slot) ?? -2) < 2)
            throw new Error(`slot ${step.slot} had no rest`);
          freed.delete(step.slot);
        }
      }
      // The open id's births, and its counter, belong to one generation of the verdict.
      const shift = generationShift(slice);
      const generations = [slice, plan.birthSliceOf(plan.id)!, plan.birthSliceOfSlot(step.slot)];
      if (new Set(generations.map((birth) => birth >>> shift)).size !== 1)
        throw new Error(`slice ${slice}: birth slices ${generations}`);
      if (slice % 4999 === 0) checkMap(plan, 0, slice);
    }
    expect(opened).toBe(plan.id);
    expect(plan.id).toBeGreaterThan(2000);
    expect(merges).toBe(generationShift(100_000));
  });

  test("charges every free to its generation, also by the map of the slice before", () => {
    // The model: counters of 64 slots that only rise, blocks that know their birth slice, and threads
    // that free by the map that was valid when they looked.
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 100, max: 700 }), (seed, slices) => {
        const plan = new GenerationPlan();
        const counters = new Float64Array(BIRTH_SLOTS);
        const before = new Float64Array(BIRTH_SLOTS);
        const truth = new Map<number, number>();
        const seen = new Map<number, number>();
        let [oldMap, oldId] = [plan.slotOfGen, plan.id];
        const roll = randomNumbers(seed);
        for (let slice = 0; slice < slices; slice++) {
          const map = plan.slotOfGen;
          for (let free = roll() % 6; free > 0; free--) {
            const id = roll() % (plan.id + 1);
            counters[(roll() % 3 || id > oldId ? map : oldMap)[id]!]!++;
            const birth = plan.birthSliceOf(id)!;
            truth.set(birth, (truth.get(birth) ?? 0) + 1);
          }
          for (let slot = 0; slot < BIRTH_SLOTS; slot++) {
            const difference = counters[slot]! - before[slot]!;
            const birth = plan.birthSliceOfSlot(slot);
            if (difference) seen.set(birth, (seen.get(birth) ?? 0) + difference);
          }
          before.set(counters);
          [oldMap, oldId] = [map, plan.id];
          advance(plan, slice + 1);
        }
        const shift = generationShift(slices - 1);
        expect(byGeneration(seen, shift)).toEqual(byGeneration(truth, shift));
      }),
      { numRuns: 20 },
    );
  });

  test("stands still while steps can't be written, and goes on where time has got to", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 5, maxLength: 60 }),
        (gaps) => {
          const plan = new GenerationPlan();
          let slice = 0;
          for (const gap of gaps) {
            for (let failed = 1; failed < gap; failed++) {
              const id = plan.id;
              plan.prepare(slice + failed);
              expect(plan.id).toBe(id);
            }
            slice += gap;
            const step = advance(plan, slice);
            if (slice < 250) expect(step.opens).toBe(true);
            checkMap(plan, 0, slice);
          }
        },
      ),
    );
  });

  test("maps the ids of an earlier owner to before slice 1, and goes on with the next id", () => {
    const plan = new GenerationPlan(700);
    expect(plan.birthSliceOf(700)).toBe(0);
    expect(plan.birthSliceOf(701)).toBeNull();
    const step = advance(plan, 1);
    expect(step).toMatchObject({ id: 701, opens: true, birthSlice: 1 });
    for (let slice = 2; slice < 600; slice++) advance(plan, slice);
    expect(plan.slotOfGen.subarray(0, 701).every((slot) => slot === 0)).toBe(true);
    checkMap(plan, 700, 599);
  });

  test("keeps the last id open when ids are used up", () => {
    const plan = new GenerationPlan(GENERATION_IDS - 3);
    const opened = [1, 2, 3, 4, 5].map((slice) => advance(plan, slice).opens);
    expect(opened).toEqual([true, true, false, false, false]);
    expect(plan.usedUp).toBe(true);
    expect(plan.birthSliceOf(GENERATION_IDS - 1)).toBe(2);
  });

  test("lasts 194 days at one slice per second", () => {
    const plan = new GenerationPlan();
    let slice = 0;
    while (!plan.usedUp) {
      // Straight to the next multiple of the width: the slices between open nothing.
      slice = (Math.floor(slice / plan.width) + 1) * plan.width;
      advance(plan, slice);
    }
    expect((slice + 32_768) / 86_400).toBeGreaterThan(194);
    checkMap(plan, 0, slice);
  });
});

function byGeneration(counts: ReadonlyMap<number, number>, shift: number): Map<number, number> {
  const sums = new Map<number, number>();
  for (const [birth, count] of [...counts].sort((a, b) => a[0] - b[0])) {
    const generation = birth >>> shift;
    sums.set(generation, (sums.get(generation) ?? 0) + count);
  }
  return sums;
}
