import { expect, test } from "vitest";
import { MIN_SLICES } from "../contract/limits.js";
import { THRESHOLDS, threshold } from "./thresholds.js";

test("every threshold has a finite value, a unit and a reason", () => {
  const entries = Object.entries(THRESHOLDS);
  expect(entries.length).toBeGreaterThan(60);
  for (const [name, { value, unit, reason }] of entries) {
    expect(Number.isFinite(value), name).toBe(true);
    expect(unit.length, name).toBeGreaterThan(0);
    expect(reason.length, name).toBeGreaterThan(3);
  }
});

test("formulas use the values of the table", () => {
  for (const [name, { value }] of Object.entries(THRESHOLDS)) {
    expect(threshold[name as keyof typeof threshold], name).toBe(value);
  }
  expect(threshold.minSlices).toBe(MIN_SLICES);
});

test("the event cap makes the counts of events that the states ask for the right ones", () => {
  const cap = (events: number): number => threshold.capPerEvent * events + threshold.capBase;
  expect(cap(threshold.minEvents)).toBeGreaterThan(threshold.likelyScore);
  expect(cap(threshold.minEvents - 1)).toBeLessThan(threshold.likelyScore);
  expect(cap(threshold.confirmedEvents)).toBeGreaterThan(threshold.confirmedScore);
  expect(cap(threshold.confirmedEvents - 1)).toBeLessThan(threshold.confirmedScore);
  expect(cap(threshold.openEvents)).toBeLessThan(threshold.suspectScore);
});
