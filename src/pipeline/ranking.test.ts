import { expect, test } from "vitest";
import type { State } from "../contract/verdict.js";
import { type AllocerResult, worstFirst } from "./ranking.js";
import { allocerInfo } from "./testing/make-slice.js";

const result = (
  id: number,
  state: State,
  more: { score?: number; leakBytes?: number; liveBytes?: number } = {},
): AllocerResult => ({
  id,
  info: allocerInfo(id),
  liveBytes: more.liveBytes ?? 0,
  liveBlocks: 0,
  totalAllocs: 0,
  totalFrees: 0,
  overruns: 0,
  sustained: false,
  verdict: {
    state,
    class: "const",
    score: more.score ?? 0,
    path: "survivors",
    leakBytes: more.leakBytes ?? 0,
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
  },
});

test("allocers are sorted by state, then by cost or likelihood, then by size, then by id", () => {
  const expected = [
    result(9, "confirmed", { leakBytes: 900, score: 7 }),
    result(8, "confirmed", { leakBytes: 100, score: 15 }),
    result(7, "likely", { score: 5, leakBytes: 1 }),
    result(6, "likely", { score: 4, leakBytes: 1000 }),
    result(5, "suspect", { score: 2.5 }),
    result(4, "filling", { leakBytes: 50 }),
    result(3, "stable", { liveBytes: 500, score: -8 }),
    result(1, "stable", { liveBytes: 20, score: 1 }),
    result(2, "stable", { liveBytes: 20 }),
    result(0, "undecided", { liveBytes: 1000 }),
  ];
  expect(
    [...expected]
      .reverse()
      .sort(worstFirst)
      .map(({ id }) => id),
  ).toEqual(expected.map(({ id }) => id));
});
