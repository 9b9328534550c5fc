import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Handle,
  type SimulatedAllocer,
  simulate,
} from "../../test/support/simulated-allocer.js";
import { type AllocerSeries, STATES, type Verdict } from "../contract/verdict.js";
import { judge } from "./judge.js";

const amounts = fc.oneof(
  fc.constant(0),
  fc.nat(20),
  fc.nat(1e6),
  fc.double({ min: 0, max: 2 ** 53, noNaN: true }),
);
const column = fc.array(amounts, { maxLength: 80 });

/** Columns of any length that have nothing to do with each other: what a broken producer could hand over. */
const nonsense: fc.Arbitrary<AllocerSeries> = fc.record({
  times: column,
  bytes: column,
  blocks: column,
  allocs: column,
  frees: column,
  evidence: fc.option(
    fc.record({
      slice: fc.nat(300),
      shift: fc.nat(4),
      endTimes: column,
      allocCount: column,
      liveCount: column,
      liveBytes: column,
      ageFrees: fc.array(amounts, { maxLength: 24 }),
    }),
  ),
});

/** What one slice does: blocks to allocate, their size, how many of the oldest to free, seconds since the last. */
const step = fc.record({
  births: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(40)),
  bytes: fc.integer({ min: 1, max: 5000 }),
  deaths: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(40)),
  gap: fc.integer({ min: 1, max: 20 }),
});

/** Series of an allocer that really did something. */
const programs: fc.Arbitrary<AllocerSeries> = fc
  .array(step, { minLength: 1, maxLength: 150 })
  .map((steps) => {
    const live: Handle[] = [];
    let now = 0;
    const times = steps.map(({ gap }) => {
      now += gap;
      return now;
    });
    const run = (allocer: SimulatedAllocer, k: number): void => {
      const { births, bytes, deaths } = steps[k]!;
      for (let i = 0; i < births; i++) live.push(allocer.alloc(bytes));
      for (const block of live.splice(0, deaths)) allocer.free(block);
    };
    return simulate(steps.length, run, (k) => times[k]!);
  });

function numbersOf(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(numbersOf);
}

function expectSound(verdict: Verdict): void {
  expect(STATES).toContain(verdict.state);
  expect(verdict.class === null).toBe(verdict.state === "undecided");
  for (const number of numbersOf(verdict)) expect(Number.isFinite(number)).toBe(true);
  const { rate, rateLow, rateHigh } = verdict.rate;
  expect(rateLow).toBeLessThanOrEqual(rate);
  expect(rate).toBeLessThanOrEqual(rateHigh);
  expect(Math.min(rateLow, verdict.leakBytes)).toBeGreaterThanOrEqual(0);
  const { growthEvents, generations, firstThirdShare } = verdict.facts;
  expect(growthEvents).toBeLessThanOrEqual(generations);
  expect(firstThirdShare).toBeGreaterThanOrEqual(0);
  expect(firstThirdShare).toBeLessThanOrEqual(1);
  const words = `${verdict.sentence} ${verdict.advice ?? ""}`;
  expect(words).not.toMatch(/NaN|Infinity|undefined|null|\?|(^|[^\d ] )1 (more )?(blocks|slices)/);
  expect(verdict.sentence).toMatch(/^[A-Z0-9].*[^.]$/);
}

test("whatever non-negative numbers come in, in columns of whatever length, the verdict is sound", () => {
  fc.assert(
    fc.property(nonsense, (series) => expectSound(judge(series))),
    { numRuns: 1500 },
  );
});

test("the verdict on a real history is sound, growth only where the class says so", () => {
  fc.assert(
    fc.property(programs, (series) => {
      const verdict = judge(series);
      expectSound(verdict);
      if (verdict.class === "const" || verdict.class === null) expect(verdict.leakBytes).toBe(0);
      else expect(verdict.leakBytes).toBeGreaterThan(0);
    }),
    { numRuns: 400 },
  );
});

test("shortcuts never change a state or a class", () => {
  fc.assert(
    fc.property(programs, (series) => {
      const { state, class: cls } = judge(series);
      expect(judge(series, { exact: true })).toMatchObject({ state, class: cls });
    }),
    { numRuns: 400 },
  );
});

test("when the run began doesn't matter", () => {
  fc.assert(
    fc.property(programs, fc.integer({ min: 1, max: 1e6 }), (series, shift) => {
      const later = (times: ArrayLike<number>): number[] =>
        Array.from(times, (time) => time + shift);
      const evidence = series.evidence!;
      const shifted = {
        ...series,
        times: later(series.times),
        evidence: { ...evidence, endTimes: later(evidence.endTimes) },
      };
      const [before, after] = [judge(series), judge(shifted)];
      expect(after.score).toBeCloseTo(before.score, 6);
      expect(after.rate.rate).toBeCloseTo(before.rate.rate, 6);
      expect(after).toMatchObject({
        state: before.state,
        class: before.class,
        leakBytes: expect.closeTo(before.leakBytes, 4),
      });
    }),
    { numRuns: 300 },
  );
});

test("blocks four times as large leak four times as fast, and are judged alike", () => {
  fc.assert(
    fc.property(programs, (series) => {
      const larger = (bytes: ArrayLike<number>): number[] => Array.from(bytes, (size) => size * 4);
      const evidence = series.evidence!;
      const scaled = {
        ...series,
        bytes: larger(series.bytes),
        evidence: { ...evidence, liveBytes: larger(evidence.liveBytes) },
      };
      const [small, large] = [judge(series), judge(scaled)];
      expect(large).toMatchObject({ state: small.state, class: small.class });
      expect(large.score).toBeCloseTo(small.score, 9);
      expect(large.leakBytes).toBeCloseTo(4 * small.leakBytes, 3);
      expect(large.rate.rate).toBeCloseTo(4 * small.rate.rate, 3);
      expect(large.rate.rateLow).toBeCloseTo(4 * small.rate.rateLow, 3);
      expect(large.rate.rateHigh).toBeCloseTo(4 * small.rate.rateHigh, 3);
    }),
    { numRuns: 300 },
  );
});
