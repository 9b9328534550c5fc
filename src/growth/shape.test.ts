import { expect, test } from "vitest";
import { dispersionOf } from "./dispersion.js";
import { shapeOf } from "./shape.js";
import { threshold } from "./thresholds.js";

const bins = (count: number, at: (i: number) => number): number[] =>
  Array.from({ length: count }, (_, i) => at(i));

test("births at a constant rate up to now are a linear leak", () => {
  const shape = shapeOf(
    bins(32, () => 20),
    300,
    1,
  );
  expect(shape.logOdds).toBeGreaterThan(10);
  expect(shape).toMatchObject({ class: "linear", rateFrom: 0, capped: false });
});

test("births that die out are a cache that fills", () => {
  const shape = shapeOf(
    bins(32, (i) => 200 * Math.exp(-i / 5)),
    300,
    1,
  );
  expect(shape.logOdds).toBeLessThan(-5);
  expect(shape.class).toBe("log");
  expect(shape.alternative?.kind).toBe("filling");
});

test("births that double again and again are exponential growth", () => {
  const shape = shapeOf(
    bins(32, (i) => 2 * Math.exp(i / 8)),
    300,
    1,
  );
  expect(shape.logOdds).toBeGreaterThan(3);
  expect(shape.class).toBe("exp");
});

test("births after a pause count from where they began", () => {
  const shape = shapeOf(
    bins(32, (i) => (i < 16 ? 0 : 20)),
    160,
    0.6,
  );
  expect(shape.class).toBe("linear");
  expect(shape.rateFrom).toBe(0.5);
});

test("two bursts are two bursts", () => {
  const shape = shapeOf(
    bins(32, (i) => (i === 3 || i === 17 ? 100 : 0)),
    20,
    0.06,
  );
  expect(shape.logOdds).toBeLessThan(0);
  expect(["bursts", "runs"]).toContain(shape.alternative?.kind);
});

test("work in two stretches that have ended is no leak", () => {
  const on = (i: number): boolean => (i >= 4 && i < 9) || (i >= 14 && i < 22);
  const shape = shapeOf(
    bins(32, (i) => (on(i) ? 30 : 0)),
    100,
    0.4,
  );
  expect(shape.logOdds).toBeLessThan(0);
  expect(shape.alternative?.kind).toBe("runs");
});

test("a handful of events is never certain, whatever its shape", () => {
  const shape = shapeOf(
    bins(8, () => 50),
    5,
    1,
  );
  expect(shape.capped).toBe(true);
  expect(shape.logOdds).toBeCloseTo(5 * 0.45 + 0.5, 12);
});

test("nothing born is nothing grown", () => {
  const shape = shapeOf([0, 0, 0, 0], 0, 0);
  expect(shape).toMatchObject({
    logOdds: threshold.noShapeScore,
    class: "const",
    alternative: null,
  });
});

test("clumps are counted as one: a hundred times the blocks are not a hundred times the evidence", () => {
  const jumpy = (size: number) => bins(16, (i) => size * (i % 2 === 0 ? 1 : 3));
  expect(dispersionOf(jumpy(100), 100, 1)).toBeGreaterThan(50 * dispersionOf(jumpy(1), 100, 1));
});

test("regular births are trusted more than random ones, but only so far", () => {
  expect(
    dispersionOf(
      bins(32, () => 1000),
      300,
      1,
    ),
  ).toBe(threshold.dispersionFloor);
});

test("few births come in clumps", () => {
  const flat = bins(8, () => 40);
  expect(dispersionOf(flat, 8, 0.1)).toBe(320 / (2 * 8));
});
