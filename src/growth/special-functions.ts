/** The functions of statistics that the verdict needs and the language lacks. */

/** Lanczos coefficients for g = 7 (Lanczos, "A precision approximation of the gamma function", 1964). */
const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
] as const;
const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

/** Natural logarithm of the gamma function, x > 0; relative error below 1e-13. */
export function logGamma(x: number): number {
  const y = x - 1;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (y + i);
  const base = y + LANCZOS_G + 0.5;
  return HALF_LOG_TWO_PI + (y + 0.5) * Math.log(base) - base + Math.log(sum);
}

/** Natural logarithm of the beta function, a and b > 0. */
export const logBeta = (a: number, b: number): number =>
  logGamma(a) + logGamma(b) - logGamma(a + b);

/** Natural logarithm of the number of ways to choose k of n. */
export const logChoose = (n: number, k: number): number =>
  logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);

/** ln(e^a + e^b) without overflow. */
export function logAdd(a: number, b: number): number {
  const most = Math.max(a, b);
  return most + Math.log(Math.exp(a - most) + Math.exp(b - most));
}

/** ln of the sum of e^v over values[from] .. values[to - 1], without overflow. */
export function logSum(values: ArrayLike<number>, from = 0, to = values.length): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) most = Math.max(most, values[i]!);
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.exp(values[i]! - most);
  return most + Math.log(sum);
}

/** 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom: every number of bins there can be. */
const STUDENT_T_975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
  2.045, 2.042, 2.04,
] as const;

/** Half-width of a two-sided 95 % interval in standard errors; the last entry serves all beyond 31. */
export function studentT95(degreesOfFreedom: number): number {
  const last = STUDENT_T_975.length;
  return STUDENT_T_975[Math.min(Math.max(Math.floor(degreesOfFreedom), 1), last) - 1]!;
}
