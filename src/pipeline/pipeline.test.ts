import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "../base/testing/random-numbers.js";
import { generationShift, type Slice } from "../contract/slice.js";
import type { AllocerSeries, State, Verdict } from "../contract/verdict.js";
import { judge } from "../growth/index.js";
import { isCheckpoint, MOST_POINTS, pointStride } from "./checkpoints.js";
import { Pipeline } from "./pipeline.js";
import { HeapModel } from "./testing/heap-model.js";
import { makeSlice } from "./testing/make-slice.js";

/** A verdict with nothing in it but its state. */
const verdict = (state: State, score = 0): Verdict => ({
  state,
  class: state === "undecided" ? null : "const",
  score,
  path: "survivors",
  leakBytes: 0,
  rate: { rate: 0, rateLow: 0, rateHigh: 0 },
  window: { from: 0, to: 0, slices: 0 },
  facts: {
    maturitySlices: 0,
    maturitySeconds: 0,
    matureAlive: 0,
    matureFreed: 0,
    growthEvents: 0,
    generations: 0,
    sinceLastEvent: 0,
    firstThirdShare: 0,
  },
  sentence: "",
  advice: null,
});

/** A target that allocates and frees at random. */
function randomHeap(seed: number, slices: number, events: number) {
  const dice = randomNumbers(seed);
  const model = new HeapModel();
  const taken: Slice[] = [];
  for (let slice = 0; slice < slices; slice++) {
    for (let event = dice() % (events + 1); event > 0; event--) {
      const alive = model.alive();
      if (dice() % 5 < 2 && alive.length > 0) model.free(alive[dice() % alive.length]!);
      else model.alloc(dice() % 4, 1 + (dice() % 5000));
    }
    taken.push(model.take());
  }
  return { model, taken };
}

describe("slices added up", () => {
  test("are the truth in totals, series, generations and ages, and sums over generations are totals", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 260 }), (seed, slices) => {
        const { model, taken } = randomHeap(seed, slices, 6);
        const pipeline = new Pipeline(() => verdict("stable"));
        for (const slice of taken) pipeline.push(slice);
        const last = slices - 1;
        for (const { id, liveBytes, liveBlocks, totalAllocs, totalFrees } of pipeline.results()) {
          const truth = model.totals(id, last);
          expect({ liveBytes, liveBlocks, totalAllocs, totalFrees }).toEqual({
            liveBytes: truth.bytes,
            liveBlocks: truth.blocks,
            totalAllocs: truth.allocs,
            totalFrees: truth.frees,
          });
          checkSeries(pipeline.seriesOf(id)!, model, id, last);
        }
        expect(pipeline.totals.allocs).toBe(model.blocks.length);
        expect(pipeline.totals.liveBlocks).toBe(model.alive().length);
      }),
      { numRuns: 25 },
    );
  });

  function checkSeries(series: AllocerSeries, model: HeapModel, id: number, last: number): void {
    const points = Array.from({ length: last + 1 }, (_, slice) => model.totals(id, slice));
    expect([...Array.from(series.times)]).toEqual(points.map((_, slice) => slice));
    expect(Array.from(series.bytes)).toEqual(points.map(({ bytes }) => bytes));
    expect(Array.from(series.blocks)).toEqual(points.map(({ blocks }) => blocks));
    expect(Array.from(series.allocs)).toEqual(points.map(({ allocs }) => allocs));
    expect(Array.from(series.frees)).toEqual(points.map(({ frees }) => frees));
    const evidence = series.evidence!;
    const shift = generationShift(last);
    const count = (last >>> shift) + 1;
    expect([evidence.slice, evidence.shift]).toEqual([last, shift]);
    expect(Array.from(evidence.endTimes)).toEqual(
      Array.from({ length: count }, (_, g) => Math.min((g + 1) * 2 ** shift - 1, last)),
    );
    const rows = model.generations(id, shift, count);
    expect(Array.from(evidence.allocCount)).toEqual(rows.map(({ born }) => born));
    expect(Array.from(evidence.liveCount)).toEqual(rows.map(({ alive }) => alive));
    expect(Array.from(evidence.liveBytes)).toEqual(rows.map(({ bytes }) => bytes));
    expect(Array.from(evidence.ageFrees)).toEqual(model.ages(id, evidence.ageFrees.length));
    const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);
    expect(sum(evidence.liveCount)).toBe(points[last]!.blocks);
    expect(sum(evidence.liveBytes)).toBe(points[last]!.bytes);
    expect(sum(evidence.allocCount)).toBe(points[last]!.allocs);
    expect(sum(evidence.ageFrees)).toBe(points[last]!.frees);
  }

  test("of a long run keep every 2nd, 4th ... point and the newest, exactly", () => {
    const events = (slice: number) => slice % 7 === 0 || slice > 4000;
    const slices = 4237;
    const pipeline = new Pipeline(() => verdict("stable"));
    const truth: number[] = [];
    for (let slice = 0; slice < slices; slice++) {
      const births = events(slice) ? ([[1, slice, 2, slice, 1, 3]] as const) : [];
      pipeline.push(
        makeSlice(slice, { time: slice / 10, births, allocers: slice === 0 ? [1] : [] }),
      );
      truth.push((truth.at(-1) ?? 0) + (events(slice) ? slice - 3 : 0));
      if (slice % 1000 === 998 || slice === slices - 1) {
        const stride = pointStride(slice);
        const kept = Array.from({ length: Math.floor(slice / stride) + 1 }, (_, i) => i * stride);
        if (kept.at(-1) !== slice) kept.push(slice);
        const series = pipeline.seriesOf(1)!;
        expect(series.times.length).toBeLessThanOrEqual(MOST_POINTS + 1);
        expect(Array.from(series.times)).toEqual(kept.map((point) => point / 10));
        expect(Array.from(series.bytes)).toEqual(kept.map((point) => Math.max(0, truth[point]!)));
      }
    }
    expect(pointStride(slices - 1)).toBe(8);
  });

  test("begin with zeros before an allocer's first slice", () => {
    const pipeline = new Pipeline(() => verdict("stable"));
    for (let slice = 0; slice < 5; slice++) pipeline.push(makeSlice(slice));
    pipeline.push(makeSlice(5, { allocers: [3], births: [[3, 5, 1, 10, 0, 0]] }));
    pipeline.push(makeSlice(6));
    expect(Array.from(pipeline.seriesOf(3)!.bytes)).toEqual([0, 0, 0, 0, 0, 10, 10]);
    expect(pipeline.seriesOf(4)).toBeNull();
  });

  test("that begin late or leave slices out keep their times", () => {
    const pipeline = new Pipeline(() => verdict("stable"));
    pipeline.push(makeSlice(5000, { time: 7, allocers: [1], births: [[1, 4000, 1, 10, 0, 0]] }));
    pipeline.push(makeSlice(5003, { time: 8 }));
    const series = pipeline.seriesOf(1)!;
    const last = series.times.length - 1;
    expect([series.times[last], series.bytes[last], series.times[0]]).toEqual([8, 10, 7]);
    const evidence = series.evidence!;
    expect(evidence.endTimes.length).toBe((5003 >> evidence.shift) + 1);
    expect(Array.from(evidence.liveCount).reduce((a, b) => a + b)).toBe(1);
    expect(() => pipeline.push(makeSlice(5003))).toThrow(RangeError);
  });

  test("never show the negative counts of events in flight, nor keep them", () => {
    const pipeline = new Pipeline(() => verdict("stable"));
    pipeline.push(makeSlice(0, { allocers: [1] }));
    pipeline.push(makeSlice(1, { oldFrees: [[1, 0, 1, 8]] }));
    expect(pipeline.results()[0]).toMatchObject({ liveBlocks: 0, liveBytes: 0, totalFrees: 1 });
    expect(Array.from(pipeline.seriesOf(1)!.evidence!.liveCount)).toEqual([0, 0]);
    pipeline.push(makeSlice(2, { births: [[1, 0, 2, 16, 0, 0]] }));
    expect(pipeline.results()[0]).toMatchObject({ liveBlocks: 1, liveBytes: 8, totalAllocs: 2 });
    expect(Array.from(pipeline.seriesOf(1)!.evidence!.liveCount)).toEqual([1, 0, 0]);
  });
});

describe("checkpoints", () => {
  test("are every slice up to 16, then an eighth of the run apart", () => {
    const checkpoints = Array.from({ length: 65 }, (_, slice) => slice).filter(isCheckpoint);
    expect(checkpoints).toEqual([
      ...Array.from({ length: 17 }, (_, slice) => slice),
      ...[18, 20, 22, 24, 27, 30, 33, 37, 41, 46, 51, 57, 64],
    ]);
  });

  test("are the only slices that are judged, from the 8th on, and the last one by finish", () => {
    const judged: number[] = [];
    const pipeline = new Pipeline((series) => {
      judged.push(series.evidence!.slice);
      return verdict("suspect");
    });
    for (let slice = 0; slice < 24; slice++)
      pipeline.push(makeSlice(slice, { allocers: slice === 0 ? [1] : [] }));
    expect(judged).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22]);
    pipeline.finish();
    pipeline.finish();
    expect(judged.slice(-2)).toEqual([22, 23]);
  });

  test("give the same verdicts on replay", () => {
    const { taken } = randomHeap(99, 80, 30);
    const run = () => {
      const pipeline = new Pipeline(judge);
      for (const slice of taken) pipeline.push(slice);
      pipeline.finish();
      return pipeline.results();
    };
    expect(run()).toEqual(run());
  });
});

describe("an alarm", () => {
  const run = (states: readonly State[]): boolean[] => {
    let at = 0;
    const pipeline = new Pipeline(() => verdict(states[at++]!));
    return states.map((_, i) => {
      const index = i + 7;
      if (i === 0)
        for (let slice = 0; slice < 7; slice++)
          pipeline.push(makeSlice(slice, { allocers: slice === 0 ? [1] : [] }));
      pipeline.push(makeSlice(index));
      return pipeline.results()[0]!.sustained;
    });
  };

  test("needs two evaluations above the threshold in a row, and is taken back", () => {
    expect(
      run(["likely", "suspect", "confirmed", "likely", "likely", "suspect", "likely"]),
    ).toEqual([...[false, false, false, true, true, false, false]]);
  });
});

describe("allocers that are certain to be stable still", () => {
  /** Several ways to behave, many of which become something else in mid-run. */
  function mixedHeap(seed: number, slices: number): Slice[] {
    const dice = randomNumbers(seed);
    const model = new HeapModel();
    const taken: Slice[] = [];
    const late = 10 + (dice() % 30);
    let array = model.alloc(5, 64);
    const big = model.alloc(9, 100_000);
    for (let slice = 0; slice < slices; slice++) {
      for (let i = 0; i < 5; i++) model.free(model.alloc(1, 32));
      for (const old of model
        .alive()
        .filter(({ allocer, birth }) => allocer === 2 && birth < slice - 2))
        model.free(old);
      model.alloc(2, 100);
      if (slice < 3) model.alloc(3, 4096);
      if (slice > late) model.alloc(4, 24);
      if (slice % 2 === 0 || slice > late) {
        model.free(array);
        array = model.alloc(5, array.bytes + (slice > late ? 64 : 0));
      }
      // A leak that begins when a big block goes: bytes are below what they were.
      if (slice === late) model.free(big);
      if (slice > late) model.alloc(9, 24);
      if (slice > late && slice < late + 6) model.alloc(6, 500);
      if (dice() % 9 === 0) model.alloc(7, 10);
      if (slice % 20 === 19)
        for (const old of model.alive().filter(({ allocer }) => allocer === 8)) model.free(old);
      else model.alloc(8, 70);
      taken.push(model.take());
    }
    return taken;
  }

  test("are not judged again, and no verdict differs from one that is", () => {
    let skipped = 0;
    const states = new Set<State>();
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 30, max: 150 }), (seed, slices) => {
        let calls = 0;
        const pipeline = new Pipeline((series) => {
          calls++;
          return judge(series);
        });
        for (const slice of mixedHeap(seed, slices)) {
          calls = 0;
          pipeline.push(slice);
          if (slice.index < 7 || !isCheckpoint(slice.index)) continue;
          const results = pipeline.results();
          skipped += results.length - calls;
          for (const { id, verdict: said } of results) {
            states.add(said.state);
            expect([id, said.state]).toEqual([id, judge(pipeline.seriesOf(id)!).state]);
          }
        }
      }),
      { numRuns: 12 },
    );
    expect(skipped).toBeGreaterThan(100);
    expect(states.size).toBeGreaterThanOrEqual(4);
  });
});

describe("with the real judge", () => {
  test("a leak among healthy traffic is confirmed, sustained, first, and makes the process leak", () => {
    const model = new HeapModel();
    const pipeline = new Pipeline(judge);
    for (let slice = 0; slice < 60; slice++) {
      for (let i = 0; i < 20; i++) model.free(model.alloc(1, 64));
      if (slice === 0) for (let i = 0; i < 50; i++) model.alloc(2, 1000);
      for (let i = 0; i < 4; i++) model.alloc(3, 100);
      model.free(model.alloc(3, 100));
      pipeline.push(model.take());
    }
    pipeline.finish();
    const [worst, ...others] = pipeline.results();
    expect(worst).toMatchObject({ id: 3, sustained: true, liveBytes: 24_000 });
    expect(worst!.verdict.state).toBe("confirmed");
    expect(worst!.verdict.rate.rate).toBeCloseTo(400, 0);
    expect(others.map(({ verdict: { state } }) => state)).toEqual(["stable", "stable"]);
    expect(pipeline.processVerdict()).toEqual({
      state: "leaks",
      sentence: "1 allocer leaks 400 B/s",
      advice: null,
    });
  });

  test("a leak that exit handlers tidy up is a leak, though nothing is alive at the end", () => {
    const run = (closing: boolean) => {
      const model = new HeapModel();
      const pipeline = new Pipeline(judge);
      for (let slice = 0; slice < 40; slice++) {
        for (let i = 0; i < 3; i++) model.alloc(1, 100);
        pipeline.push(model.take());
      }
      for (const block of model.alive()) model.free(block);
      pipeline.push(model.take(), { closing });
      pipeline.finish();
      return pipeline;
    };
    const closed = run(true);
    expect(closed.results()[0]).toMatchObject({ liveBlocks: 0, totalFrees: 120, sustained: true });
    expect(closed.results()[0]!.verdict).toMatchObject({
      state: "confirmed",
      window: { from: 0, to: 39, slices: 40 },
    });
    expect(closed.processVerdict().state).toBe("leaks");
    expect(run(false).results()[0]!.verdict.state).toBe("stable");
  });

  test("a closing slice is judged when there are too few without it", () => {
    const judged: number[] = [];
    const pipeline = new Pipeline((series) => {
      judged.push(series.evidence!.slice);
      return verdict("stable");
    });
    for (let slice = 0; slice < 8; slice++)
      pipeline.push(makeSlice(slice, { allocers: slice === 0 ? [1] : [] }), {
        closing: slice === 7,
      });
    pipeline.finish();
    expect(judged).toEqual([7]);
  });
});
