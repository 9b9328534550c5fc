import { expect, test } from "vitest";
import { type Finding, NO_GROWTH } from "./finding.js";
import { NO_RATE } from "./rate.js";
import { slicesUntil, stateOf, stateOfScore } from "./states.js";

const finding = (score: number, events: number, more: Partial<Finding> = {}): Finding => ({
  path: "survivors",
  score,
  gate: 0,
  class: score > 2 ? "linear" : "const",
  rate: NO_RATE,
  growth: { ...NO_GROWTH, events, generations: 59 },
  maturity: null,
  survival: 1,
  ...more,
});

test("the score alone tells the states apart, its borders belong to the milder one", () => {
  expect(stateOfScore(6.01, "linear")).toBe("confirmed");
  expect(stateOfScore(6, "linear")).toBe("likely");
  expect(stateOfScore(3, "linear")).toBe("suspect");
  expect(stateOfScore(2, "log")).toBe("filling");
  expect(stateOfScore(2, "const")).toBe("stable");
});

test("six growth events can make a leak likely, five only suspect", () => {
  expect(stateOf(finding(4, 6))).toBe("likely");
  expect(stateOf(finding(4, 5))).toBe("suspect");
  expect(stateOf(finding(9, 5))).toBe("suspect");
});

test("three events whose number alone keeps the score down leave it undecided", () => {
  const growth = { ...NO_GROWTH, events: 3, generations: 59, capped: true };
  expect(stateOf(finding(1.85, 3, { growth }))).toBe("undecided");
});

test("an allocer that hardly grows is stable, not undecided", () => {
  const growth = (events: number, capped: boolean) => ({ ...NO_GROWTH, events, capped });
  expect(stateOf(finding(-8, 0))).toBe("stable");
  expect(stateOf(finding(1.4, 2, { growth: growth(2, true) }))).toBe("stable");
  expect(stateOf(finding(1.2, 3, { growth: growth(3, false) }))).toBe("stable");
  expect(stateOf(finding(-4, 3, { growth: growth(3, true) }))).toBe("stable");
});

test("the slices to wait are those that the missing events take at the pace so far", () => {
  expect(slicesUntil("likely", finding(2.75, 3), 60)).toBe(60);
  expect(slicesUntil("confirmed", finding(5, 7), 70)).toBe(60);
});

test("a score that is far from the next state takes longer than its events", () => {
  expect(slicesUntil("confirmed", finding(4, 40), 100)).toBe(50);
});

test("there is always at least one slice to wait", () => {
  expect(slicesUntil("likely", finding(3.5, 50), 60)).toBe(1);
});
