import { expect, test } from "vitest";
import { logAdd, logBeta, logChoose, logGamma, logSum, studentT95 } from "./special-functions.js";

test("logGamma is the logarithm of the factorial on whole numbers", () => {
  let factorial = 1;
  for (let n = 1; n <= 20; n++) {
    expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 10);
    factorial *= n;
  }
});

test("logGamma knows the half: gamma(1/2) is the square root of pi", () => {
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 12);
});

test("logGamma satisfies gamma(x + 1) = x gamma(x) for small and large x", () => {
  for (const x of [0.3, 1.7, 12.5, 400, 1e6]) {
    expect(logGamma(x + 1) - logGamma(x)).toBeCloseTo(Math.log(x), 7);
  }
});

test("logBeta and logChoose agree with hand-made values", () => {
  expect(logBeta(2, 3)).toBeCloseTo(Math.log(1 / 12), 12);
  expect(logChoose(10, 3)).toBeCloseTo(Math.log(120), 12);
});

test("logAdd and logSum survive numbers whose exponential doesn't exist", () => {
  expect(logAdd(-2000, -2000)).toBeCloseTo(-2000 + Math.LN2, 12);
  expect(logSum([1000, 1000, 1000, 1000])).toBeCloseTo(1000 + Math.log(4), 12);
  expect(logSum([99, 0, 0, 99], 1, 3)).toBeCloseTo(Math.LN2, 12);
});

/** Probability within +-t, by Simpson's rule on the density. */
function withinT(t: number, freedom: number): number {
  const scale =
    Math.exp(logGamma((freedom + 1) / 2) - logGamma(freedom / 2)) / Math.sqrt(freedom * Math.PI);
  const density = (x: number): number => scale * (1 + (x * x) / freedom) ** (-(freedom + 1) / 2);
  const steps = 20_000;
  let sum = density(0) + density(t);
  for (let i = 1; i < steps; i++) sum += density((t * i) / steps) * (i % 2 === 1 ? 4 : 2);
  return (2 * sum * t) / (3 * steps);
}

test("studentT95 encloses 95 % for every number of bins there can be", () => {
  for (let freedom = 1; freedom <= 31; freedom++) {
    // The table has three decimals.
    expect(Math.abs(withinT(studentT95(freedom), freedom) - 0.95)).toBeLessThan(1e-4);
  }
});

test("studentT95 is defined for no and for very many degrees of freedom", () => {
  expect(studentT95(0)).toBe(studentT95(1));
  expect(studentT95(1000)).toBe(studentT95(31));
});
