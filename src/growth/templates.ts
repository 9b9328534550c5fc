/**
 * The shapes in time that births of permanent blocks can have, as cumulative curves on [0, 1] with priors:
 * 48 of leaks, 77 of healthy allocers (specification 3.2, step 3).
 */
import type { GrowthClass } from "../contract/verdict.js";

/** What a healthy allocer does when it looks like a template; what a doubtful verdict names as the alternative. */
export type BenignShape =
  /** A cache or pool that fills up; `share` of it is full at the end of the window. */
  | { readonly kind: "filling"; readonly share: number }
  /** Growth that fades out without a bound in sight. */
  | { readonly kind: "fading" }
  /** A set-up that ended after `share` of the window. */
  | { readonly kind: "stopped"; readonly share: number }
  /** One stretch of work in the middle. */
  | { readonly kind: "burst" }
  /** Something that began in the last fifth of the window. */
  | { readonly kind: "begun" }
  /** Growth in a few single bursts, wherever they are. */
  | { readonly kind: "bursts" }
  /** Growth in a few runs, the last of which has ended. */
  | { readonly kind: "runs" };

/** Share of all births that have happened by the time x, both in [0, 1]. */
type Curve = (x: number) => number;

interface Common {
  readonly curve: Curve;
  readonly weight: number;
  readonly class: GrowthClass;
}

export interface LeakTemplate extends Common {
  /** Where the part of the window begins in which the present rate is seen: after start-up or warm-up. */
  readonly rateFrom: number;
}

export interface BenignTemplate extends Common {
  readonly shape: BenignShape;
}

const identity: Curve = (x) => x;
/** Rate falling as e^-kx; for k < 0 it rises. */
const exponential =
  (k: number): Curve =>
  (x) =>
    (1 - Math.exp(-k * x)) / (1 - Math.exp(-k));
/** Everything at a constant rate between a and b. */
const between =
  (a: number, b: number): Curve =>
  (x) =>
    Math.min(1, Math.max(0, (x - a) / (b - a)));
/** A start-up burst of share 1 - p that decays as e^-kx, over a constant leak. */
const burstThenLeak =
  (k: number, p: number): Curve =>
  (x) =>
    (1 - p) * exponential(k)(x) + p * x;
/** Rate r until s, then 1; not normalised. */
const twoSpeed =
  (s: number, r: number): Curve =>
  (x) =>
    x < s ? x * r : s * r + (x - s);
/** Exponentials with rates spread as a gamma distribution of shape a: caches with very unequal keys. */
const mixedExponential = (a: number, k: number): Curve => {
  const tail: Curve = (x) => 1 - (1 + (k * x) / a) ** -a;
  return (x) => tail(x) / tail(1);
};
/** Rate falling as 1 / (x + c). */
const logarithmic =
  (c: number): Curve =>
  (x) =>
    Math.log1p(x / c) / Math.log1p(1 / c);
const power =
  (p: number): Curve =>
  (x) =>
    x ** p;

const cross = <A, B, C>(as: readonly A[], bs: readonly B[], make: (a: A, b: B) => C): C[] =>
  as.flatMap((a) => bs.map((b) => make(a, b)));

/** Curves with one class and one rateFrom, which share a prior evenly. */
const leaks = (
  prior: number,
  cls: "linear" | "exp",
  rateFrom: number,
  curves: readonly Curve[],
): LeakTemplate[] =>
  curves.map((curve) => ({ curve, weight: prior / curves.length, class: cls, rateFrom }));

const HINGES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
const KINKS = [0.35, 0.5, 0.65];

export const LEAK_TEMPLATES: readonly LeakTemplate[] = [
  ...leaks(0.3, "linear", 0, [identity]),
  ...HINGES.flatMap((c) => leaks(0.12 / HINGES.length, "linear", c, [between(c, 1)])),
  ...leaks(
    0.22,
    "linear",
    0.5,
    cross([3, 6, 12, 24], [0.05, 0.1, 0.2, 0.35, 0.5, 0.7], burstThenLeak),
  ),
  ...leaks(0.08, "linear", 0, [-0.5, -1].map(exponential)),
  ...leaks(0.1, "exp", 0.5, [-1.5, -2, -3, -4, -5].map(exponential)),
  ...leaks(0.05, "exp", 0.5, [power(2)]),
  ...leaks(0.02, "exp", 0.5, [power(3)]),
  ...leaks(0.1, "linear", 0.3, [exponential(0.5)]),
  ...KINKS.flatMap((s) =>
    leaks(
      0.12 / KINKS.length,
      "linear",
      s,
      [0.3, 0.6].map((r) => twoSpeed(s, r)),
    ),
  ),
];

/** Curves of one benign kind, which share a prior evenly. */
const benign = <P>(
  prior: number,
  cls: "log" | "const",
  parameters: readonly P[],
  curve: (parameter: P) => Curve,
  shape: (parameter: P) => BenignShape,
): BenignTemplate[] =>
  parameters.map((parameter) => ({
    curve: curve(parameter),
    weight: prior / parameters.length,
    class: cls,
    shape: shape(parameter),
  }));

const fading = (): BenignShape => ({ kind: "fading" });
const FILL_RATES = [0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 16, 22, 40];
const MIXTURES = cross([1, 2.5], [2, 4, 8, 16, 32], (a, k) => ({ a, k }));
const STOPS = [0.04, 0.08, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85];
const BURSTS = cross(
  [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
  [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
  (a, b) => ({ a, b }),
).filter(({ a, b }) => b > a + 0.05);

export const BENIGN_TEMPLATES: readonly BenignTemplate[] = [
  ...benign(0.42, "log", FILL_RATES, exponential, (k) => ({
    kind: "filling",
    share: 1 - Math.exp(-k),
  })),
  ...benign(0.05, "log", MIXTURES, ({ a, k }) => mixedExponential(a, k), fading),
  ...benign(0.1, "log", [0.005, 0.02, 0.05, 0.1, 0.2], logarithmic, fading),
  ...benign(0.06, "log", [0.3, 0.5], power, fading),
  ...benign(
    0.16,
    "log",
    STOPS,
    (c) => between(0, c),
    (share) => ({ kind: "stopped", share }),
  ),
  ...benign(
    0.14,
    "const",
    BURSTS,
    ({ a, b }) => between(a, b),
    () => ({ kind: "burst" }),
  ),
  ...benign(
    0.06,
    "const",
    [0.8, 0.88, 0.95],
    (a) => between(a, 1),
    () => ({ kind: "begun" }),
  ),
];
