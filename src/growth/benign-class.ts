/** Step 6: what is no leak is either filling (log) or stable (const). */
import type { AllocerSeries, Rate } from "../contract/verdict.js";
import { rebin } from "./bins.js";
import { envelopeOf } from "./envelope.js";
import type { Growth, Step } from "./finding.js";
import { rateOf } from "./rate.js";
import { threshold } from "./thresholds.js";

/** Gives what is not even suspect its class, and a filling one the growth of its byte curve. */
export const classifyBenign: Step = (finding, { series }) => {
  if (finding.score > threshold.suspectScore) return finding;
  if (!isFilling(series.bytes)) {
    return finding.class === "const" ? finding : { ...finding, class: "const" };
  }
  return { ...finding, class: "log", ...fillingOf(series, finding.growth) };
};

/** Whether most of what the byte curve does is permanent growth, in several steps. */
export function isFilling(bytes: ArrayLike<number>): boolean {
  let least = Number.POSITIVE_INFINITY;
  let peak = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < bytes.length; i++) {
    least = Math.min(least, bytes[i]!);
    peak = Math.max(peak, bytes[i]!);
  }
  const range = peak - least;
  const grown = bytes[bytes.length - 1]! - least;
  // Nearly every allocer ends here, without an envelope.
  if (!(range > 0) || grown < threshold.fillingGrowth * range) return false;
  const { steps, drawdown } = envelopeOf(bytes);
  if (drawdown > threshold.fillingDrop * range) return false;
  let rises = 0;
  for (const step of steps) if (step > threshold.fillingStep * range) rises++;
  return rises >= threshold.fillingSteps;
}

/** Bins in which a filling curve is summed: sixths give thirds, and three of them for the present rate. */
const BINS = 6;

function fillingOf(
  { times, bytes }: AllocerSeries,
  growth: Growth,
): { readonly rate: Rate; readonly growth: Growth } {
  const envelope = envelopeOf(bytes);
  const grown = rebin(times, envelope.steps, BINS);
  const rises = envelope.steps.map((step) => (step > 0 ? 1 : 0));
  const from = times[0] ?? 0;
  const to = times[envelope.steps.length] ?? from;
  const firstThird = Math.min(1, (grown[0]! + grown[1]!) / envelope.growth);
  const firstHalf = Math.min(1, firstThird + grown[2]! / envelope.growth);
  return {
    rate: rateOf(grown, rebin(times, rises, BINS), 0.5, to - from),
    growth: {
      ...growth,
      bytes: envelope.growth,
      from,
      to,
      firstThirdShare: firstThird,
      firstHalfShare: firstHalf,
    },
  };
}
