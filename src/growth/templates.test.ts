import { expect, test } from "vitest";
import { bankOf } from "./bank.js";
import { BENIGN_TEMPLATES, LEAK_TEMPLATES } from "./templates.js";

const all = [...LEAK_TEMPLATES, ...BENIGN_TEMPLATES];

test("there are 48 shapes of leaks and 77 of healthy allocers", () => {
  expect(LEAK_TEMPLATES).toHaveLength(48);
  expect(BENIGN_TEMPLATES).toHaveLength(77);
});

test("every curve begins at 0, never falls, and rises", () => {
  for (const { curve } of all) {
    let before = curve(0);
    expect(before).toBeCloseTo(0, 12);
    for (let i = 1; i <= 50; i++) {
      const now = curve(i / 50);
      expect(now).toBeGreaterThanOrEqual(before - 1e-12);
      before = now;
    }
    expect(before).toBeGreaterThan(0.3);
  }
});

test("only leaks have growing classes", () => {
  const classes = (list: readonly { readonly class: string }[]) =>
    [...new Set(list.map((template) => template.class))].sort();
  expect(classes(LEAK_TEMPLATES)).toEqual(["exp", "linear"]);
  expect(classes(BENIGN_TEMPLATES)).toEqual(["const", "log"]);
});

test("a bank holds probabilities that sum to 1 and priors that sum to 1 and 0.85", () => {
  for (const bins of [3, 5, 8, 32]) {
    const bank = bankOf(bins);
    for (let row = 0; row < bank.templates; row++) {
      const cells = bank.share.slice(row * bins, (row + 1) * bins);
      expect(cells.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(Math.min(...cells)).toBeGreaterThan(0);
    }
    const priors = bank.logPrior.map(Math.exp);
    expect(priors.slice(0, bank.leaks).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(priors.slice(bank.leaks).reduce((a, b) => a + b)).toBeCloseTo(0.85, 12);
  }
});

test("a bank is made once per number of bins", () => {
  expect(bankOf(16)).toBe(bankOf(16));
});
