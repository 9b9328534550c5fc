/** Sentences about what grows: survivors that keep being born, or a container. */
import {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
} from "../base/format.js";
import { type Case, generationsOf, olderThan, verb } from "./case.js";
import { threshold } from "./thresholds.js";

/** "212 of 212 blocks older than 16 s were never freed; allocated in 41 of 44 slices up to now; no sign of slowing". */
export function sayLeak(it: Case): string {
  const { facts } = it;
  const all = facts.matureAlive + facts.matureFreed;
  const share = shareOf(it);
  const never = `${formatCount(facts.matureAlive)} of ${counted(all, "block")}${olderThan(facts)} ${verb(facts.matureAlive, "was", "were")} never freed${share}`;
  return `${never}; allocated in ${generationsOf(it)}${recency(it)}; ${trend(it)}`;
}

/** " (about 1 in 98 allocated)" where most blocks are ordinary traffic. */
function shareOf({ finding }: Case): string {
  if (finding.survival >= threshold.mixedSurvival) return "";
  return ` (about 1 in ${formatCount(1 / finding.survival)} allocated)`;
}

/** Whether growth goes on; the youngest blocks can't count yet, so the silence begins with the mature part. */
function recency({ facts, finding }: Case): string {
  const { from, to } = finding.growth;
  const gap = (to - from) / Math.max(1, facts.growthEvents);
  const silence = facts.sinceLastEvent - facts.maturitySeconds;
  if (silence <= threshold.recentGaps * gap) return " up to now";
  return `, the last ${formatDuration(facts.sinceLastEvent)} ago`;
}

function trend({ finding }: Case): string {
  if (finding.class === "exp") return "faster and faster";
  const { firstHalfShare, events } = finding.growth;
  const lean = 2 * firstHalfShare - 1;
  const clear = Math.abs(lean) * Math.sqrt(events) > threshold.trendSigmas;
  if (!clear || Math.abs(lean) < threshold.trendLean) return "no sign of slowing";
  if (lean < 0) return "faster than at first";
  return `slower than at first: ${formatPercent(firstHalfShare)} of the growth came in the first half`;
}

/** "One block that keeps being reallocated: +4 KB every 3 s". */
export function sayContainer({ finding, series }: Case): string {
  const { growth, rate } = finding;
  const gap = (growth.to - growth.from) / Math.max(1, growth.events);
  const pace = `+${formatBytes(rate.rate * gap)} every ${formatDuration(gap)}`;
  if (series.evidence === null) return `Bytes that are never given back: ${pace}`;
  const blocks = series.blocks[series.blocks.length - 1] ?? 0;
  return blocks <= 1
    ? `One block that keeps being reallocated: ${pace}`
    : `${counted(blocks, "block")}, hardly more than before, that keep growing: ${pace}`;
}
