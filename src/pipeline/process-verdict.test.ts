import { describe, expect, test } from "vitest";
import type { LossName } from "../contract/segment.js";
import type { State, Verdict } from "../contract/verdict.js";
import { Pipeline } from "./pipeline.js";
import { makeSlice } from "./testing/make-slice.js";

const MEGABYTE = 1024 * 1024;

interface Run {
  readonly slices?: number;
  readonly states?: readonly State[];
  readonly losses?: Partial<Record<LossName, number>>;
  /** Blocks allocated and freed in each slice; also in slice 0. */
  readonly traffic?: number;
  readonly trafficUntil?: number;
  readonly resident?: (slice: number) => number | null;
}

const said = (state: State, id: number): Verdict => ({
  state,
  class: "linear",
  score: 10 - id,
  path: "survivors",
  leakBytes: 0,
  rate: { rate: 512, rateLow: 500, rateHigh: 520 },
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
  advice: `advice on ${id}`,
});

function pipelineOf(run: Run): Pipeline {
  const { slices = 20, states = ["stable"], traffic = 10, trafficUntil = slices } = run;
  // A judge sees a series, not an id: each of several allocers begins with a number of blocks of its own.
  const several = states.length > 1;
  const start = states.map((_, id) => [id, 0, id + 1, 0, 0, 0] as const);
  const pipeline = new Pipeline(({ allocs }) => {
    const id = several ? allocs[0]! - 1 : 0;
    return said(states[id]!, id);
  });
  for (let slice = 0; slice < slices; slice++) {
    const busy = slice < trafficUntil && traffic > 0;
    pipeline.push(
      makeSlice(slice, {
        allocers: slice === 0 ? states.map((_, id) => id) : [],
        births: several
          ? slice === 0
            ? start
            : []
          : busy
            ? [[0, slice, traffic, traffic * 8, traffic, traffic * 8]]
            : [],
        losses: run.losses ?? {},
        residentBytes: run.resident?.(slice) ?? null,
      }),
    );
  }
  pipeline.finish();
  return pipeline;
}

const verdictOf = (run: Run) => pipelineOf(run).processVerdict();

describe("a process", () => {
  test("leaks when an allocer is likely or worse at two evaluations in a row", () => {
    expect(verdictOf({ states: ["likely", "stable", "confirmed"] })).toEqual({
      state: "leaks",
      sentence: "2 allocers leak 1 KB/s together",
      advice: null,
    });
  });

  test("is suspect while an allocer is, or was likely only once", () => {
    expect(verdictOf({ states: ["stable", "suspect"] })).toEqual({
      state: "suspect",
      sentence: "1 allocer grows, not enough evidence yet",
      advice: "advice on 1",
    });
    expect(verdictOf({ slices: 8, states: ["likely"] }).state).toBe("suspect");
  });

  test("is clean after 8 slices without a loss that matters", () => {
    expect(verdictOf({ states: ["stable", "filling", "undecided"] })).toEqual({
      state: "clean",
      sentence: "No leak in 19 s among 3 allocers, 1 allocer undecided",
      advice: null,
    });
    expect(verdictOf({ losses: { unknownFrees: 5, bootstrap: 2 } }).state).toBe("clean");
    expect(verdictOf({ slices: 8 }).state).toBe("clean");
  });

  test("is undecided below 8 slices, and says how to get more", () => {
    expect(verdictOf({ slices: 7 })).toEqual({
      state: "undecided",
      sentence: "Too short to judge: 7 slices, 8 are needed",
      advice: "Let it run longer, or use --period 100ms",
    });
    expect(verdictOf({ slices: 1 }).advice).toBe("Let it run longer");
  });

  test.each<LossName>(["unattributed", "bigTableFull", "untagged", "noShard", "offEvents"])(
    "is undecided after %s events, never clean",
    (name) => {
      expect(verdictOf({ losses: { [name]: 1 } })).toMatchObject({
        state: "undecided",
        sentence: "No leak among what was seen, but 1 event was lost",
      });
    },
  );

  test("leaks also when events were lost", () => {
    expect(verdictOf({ states: ["confirmed"], losses: { noShard: 7 } }).state).toBe("leaks");
  });

  test("is unseen when its memory grows and no allocation was seen", () => {
    const resident = (slice: number) => (10 + slice) * MEGABYTE;
    expect(verdictOf({ traffic: 0, resident })).toMatchObject({
      state: "unseen",
      sentence: "Resident memory grew by 19 MB, but no allocation was seen",
    });
    expect(verdictOf({ trafficUntil: 1, resident })).toMatchObject({
      state: "unseen",
      sentence: "Resident memory grew by 19 MB, but no allocation was seen since the start",
    });
    expect(verdictOf({ traffic: 1, resident }).state).toBe("clean");
  });

  test("without an allocation is not clean even if its memory does not grow", () => {
    expect(verdictOf({ traffic: 0, resident: () => 10 * MEGABYTE })).toMatchObject({
      state: "undecided",
      sentence: "No allocation was seen",
    });
    expect(verdictOf({ traffic: 0 }).state).toBe("undecided");
  });
});

describe("coverage", () => {
  test("names losses by reason and adds up those that matter", () => {
    const losses = { noShard: 3, unattributed: 1, unknownFrees: 40 };
    const coverage = pipelineOf({ losses }).coverage();
    expect(coverage).toMatchObject({ events: 400, lost: losses, lostEvents: 4 });
    expect(coverage.seen).toBeCloseTo(400 / 403);
    expect(coverage.notes).toEqual(["1 allocation could not be told apart by caller"]);
  });

  test("is not known without events, and full without losses", () => {
    expect(pipelineOf({ traffic: 0 }).coverage().seen).toBeNull();
    expect(pipelineOf({}).coverage()).toMatchObject({
      seen: 1,
      lost: {},
      lostEvents: 0,
      notes: [],
    });
  });

  test("says when memory grows that live blocks don't account for", () => {
    const resident = (slice: number) => (10 + slice) * MEGABYTE;
    expect(pipelineOf({ resident }).coverage().notes).toEqual([
      expect.stringMatching(/^Resident memory grew by 19 MB that live blocks do not account for/),
    ]);
    expect(pipelineOf({ resident: () => 10 * MEGABYTE }).coverage().notes).toEqual([]);
  });
});
