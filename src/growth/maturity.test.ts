import fc from "fast-check";
import { expect, test } from "vitest";
import { simulate } from "../../test/support/simulated-allocer.js";
import type { Evidence } from "../contract/verdict.js";
import { type Maturity, maturityOf } from "./maturity.js";

test("blocks that are never freed are mature at once", () => {
  const { evidence } = simulate(60, (allocer) => allocer.alloc(100));
  expect(maturityOf(evidence!)).toMatchObject({ slices: 0, freed: 0, alive: 59, generation: 59 });
});

test("the maturity age is the power of two above the lifetime of the traffic", () => {
  const lifetime = 5;
  const queue: ReturnType<Parameters<Parameters<typeof simulate>[1]>[0]["alloc"]>[] = [];
  const { evidence } = simulate(60, (allocer) => {
    queue.push(allocer.alloc(100));
    allocer.alloc(64);
    if (queue.length > lifetime) allocer.free(queue.shift()!);
  });
  const maturity = maturityOf(evidence!);
  expect(maturity.slices).toBe(8);
  expect(maturity.freed).toBe(0);
  // One leaked block in each of the slices 1 to 51 is at least 8 slices old at slice 59.
  expect(maturity.alive).toBe(51);
  expect(maturity.generation).toBe(51);
});

test("generation 0 never counts", () => {
  const { evidence } = simulate(20, (allocer, k) => {
    if (k === 0) for (let i = 0; i < 50; i++) allocer.alloc(8);
  });
  expect(maturityOf(evidence!).alive).toBe(0);
});

/** The specification read aloud, without any cleverness. */
function obvious(evidence: Evidence): Pick<Maturity, "slices" | "freed" | "alive"> {
  const { slice, shift, liveCount, ageFrees } = evidence;
  const end = (g: number): number => Math.min((g + 1) * 2 ** shift - 1, slice);
  const ages = [0];
  for (let age = 1; age <= 0.34 * slice; age *= 2) ages.push(age);
  const rows = ages.map((slices) => {
    let freed = 0;
    for (let b = 0; b < ageFrees.length; b++) {
      if ((b === 0 ? 0 : 2 ** (b - 1)) >= slices) freed += ageFrees[b]!;
    }
    let alive = 0;
    for (let g = 1; g < liveCount.length; g++) if (end(g) <= slice - slices) alive += liveCount[g]!;
    return { slices, freed, alive };
  });
  const settled = rows.find((r) => r.alive >= 3 && r.freed <= 0.03 * (r.alive + r.freed));
  const share = (r: (typeof rows)[number]): number => (r.freed + 0.5) / (r.freed + r.alive + 1);
  return settled ?? rows.reduce((a, b) => (share(b) < share(a) - 1e-12 ? b : a));
}

test("maturity agrees with the obvious way to find it, whatever the counts and the width of generations", () => {
  const counts = (length: number) =>
    fc.array(fc.oneof(fc.constant(0), fc.nat(40)), { minLength: length, maxLength: length });
  const cases = fc
    .tuple(fc.integer({ min: 8, max: 300 }), fc.integer({ min: 0, max: 3 }))
    .chain(([slice, shift]) => {
      const generations = Math.floor(slice / 2 ** shift) + 1;
      return fc.record({
        slice: fc.constant(slice),
        shift: fc.constant(shift),
        endTimes: counts(generations),
        allocCount: counts(generations),
        liveCount: counts(generations),
        liveBytes: counts(generations),
        ageFrees: counts(10),
      });
    });
  fc.assert(
    fc.property(cases, (evidence) => {
      expect(maturityOf(evidence)).toMatchObject(obvious(evidence));
    }),
    { numRuns: 300 },
  );
});
