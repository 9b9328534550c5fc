/** The verdict on a byte curve alone, by its permanent part (specification 3.2, step 5). */
import { binCount, rebin, total } from "./bins.js";
import { type Envelope, envelopeOf } from "./envelope.js";
import { type Finding, type Growth, isGrowing, NO_GROWTH } from "./finding.js";
import { NO_RATE, rateOf } from "./rate.js";
import { clockworkBonus } from "./regular.js";
import { type Shape, shapeOf } from "./shape.js";
import { threshold } from "./thresholds.js";

type Judged = Pick<Finding, "path" | "score" | "class" | "rate" | "growth">;

/** Judges the curve without its newest slices, which may still fall. */
export function judgeByteCurve(times: ArrayLike<number>, bytes: ArrayLike<number>): Judged {
  const n = bytes.length;
  const to = n - 1 - Math.max(1, Math.floor(threshold.envelopeTail * n));
  const from = to >= 5 ? 1 : 0;
  const envelope = envelopeOf(bytes);
  const steps = envelope.steps.slice(from, Math.max(from, to));
  const rises = steps.filter((step) => step > 0).sort((a, b) => a - b);
  if (to < 3 || rises.length === 0) return NEVER_ROSE;

  const unit = Math.max(threshold.envelopeNoise * fallNoise(bytes), medianOf(rises));
  const events = Math.min(rises.length, total(steps) / unit);
  const edges = risingTimes(times, from, to);
  const bins = rebin(
    edges,
    steps.map((step) => step / unit),
    binCount(steps.length, events),
  );
  const shape = shapeOf(bins, events, events / steps.length);
  const rhythm = stepTimes(edges, steps, threshold.envelopeStep * unit);
  const score = shape.logOdds + rhythmBonus(rhythm, edges) + drawdownPenalty(envelope);
  const seconds = edges[steps.length]! - edges[0]!;
  const inBytes = bins.map((units) => units * unit);
  const rate = score > 0 ? rateOf(inBytes, bins, shape.rateFrom, seconds) : NO_RATE;
  const growth = growthOf(envelope, edges, steps, rhythm, events, shape);
  return { path: "container", score, class: classOf(shape, score), rate, growth };
}

const NEVER_ROSE: Judged = {
  path: "container",
  score: threshold.noEnvelopeScore,
  class: "const",
  rate: NO_RATE,
  growth: NO_GROWTH,
};

/** Root mean square of the downward steps: the noise of the curve. */
function fallNoise(bytes: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 1; i < bytes.length; i++) squares += Math.min(0, bytes[i]! - bytes[i - 1]!) ** 2;
  return Math.sqrt(squares / bytes.length);
}

function medianOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Slice times from `from` to `to`; a clock that goes back is held. */
function risingTimes(times: ArrayLike<number>, from: number, to: number): number[] {
  const out: number[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  for (let i = from; i <= to; i++) {
    latest = Math.max(latest, times[i] ?? 0);
    out.push(latest);
  }
  return out;
}

function stepTimes(edges: readonly number[], steps: readonly number[], least: number): number[] {
  const out: number[] = [];
  steps.forEach((step, i) => {
    if (step > least) out.push(edges[i + 1]!);
  });
  return out;
}

function rhythmBonus(events: readonly number[], edges: readonly number[]): number {
  const slices = edges.length - 1;
  if (events.length > threshold.clockworkDensity * slices) return 0;
  return clockworkBonus(events, edges[0]!, edges[slices]!);
}

/** Growth that is smaller than the largest drawdown may be noise. */
function drawdownPenalty({ growth, drawdown }: Envelope): number {
  if (drawdown <= 0) return 0;
  const tiny = 1e-12;
  return Math.min(0, threshold.envelopeDrop * Math.log((growth + tiny) / (drawdown + tiny)));
}

function classOf(shape: Shape, score: number): Finding["class"] {
  if (score > threshold.suspectScore) return isGrowing(shape.class) ? shape.class : "linear";
  return score < 0 && isGrowing(shape.class) ? "const" : shape.class;
}

function growthOf(
  envelope: Envelope,
  edges: readonly number[],
  steps: readonly number[],
  rhythm: readonly number[],
  events: number,
  shape: Shape,
): Growth {
  const sixths = rebin(edges, steps, 6);
  const grown = total(sixths);
  const firstThird = sixths[0]! + sixths[1]!;
  return {
    events: Math.floor(events),
    generations: steps.length,
    lastEvent: rhythm.at(-1) ?? null,
    from: edges[0]!,
    to: edges[steps.length]!,
    bytes: envelope.growth,
    firstThirdShare: Math.min(1, firstThird / grown),
    firstHalfShare: Math.min(1, (firstThird + sixths[2]!) / grown),
    capped: shape.capped,
    alternative: shape.alternative,
  };
}
