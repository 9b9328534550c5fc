/** The evidence in words: one sentence for a tired engineer, and what would settle a doubt. */
import { counted } from "../base/format.js";
import { advisedPeriod, typedPeriod } from "../base/period.js";
import type { Verdict } from "../contract/verdict.js";
import { type Case, generationsOf, nameOf, type Said } from "./case.js";
import { sayBalanced, sayFilling, sayFlushed, sayStable } from "./say-healthy.js";
import { sayContainer, sayLeak } from "./say-leak.js";
import { slicesUntil } from "./states.js";
import { threshold } from "./thresholds.js";

/** Sentence and advice for a verdict over enough slices. */
export function sayVerdict(it: Case): Said {
  if (it.finding.path === "massRelease") return sayFlushed(it);
  if (it.finding.path === "balance") return sayBalanced(it);
  switch (it.state) {
    case "confirmed":
      return { sentence: growthOf(it), advice: null };
    case "likely":
      return { sentence: growthOf(it), advice: adviceForLikely(it) };
    case "suspect":
      return { sentence: saySuspect(it), advice: moreSlices(it) };
    case "undecided":
      return { sentence: sayFewEvents(it), advice: moreSlices(it) };
    case "filling":
      return sayFilling(it);
    case "stable":
      return { sentence: sayStable(it), advice: null };
  }
}

const growthOf = (it: Case): string =>
  it.finding.path === "container" ? sayContainer(it) : sayLeak(it);

function saySuspect(it: Case): string {
  const doubt = "growing, not enough evidence yet";
  return it.finding.path === "container"
    ? `${sayContainer(it)}; ${doubt}`
    : `Growing, not enough evidence yet: ${stayed(it)}`;
}

/** "7 blocks never freed, allocated in 7 of 44 slices". */
function stayed(it: Case): string {
  const blocks = counted(it.facts.matureAlive, "block");
  return `${blocks} never freed, allocated in ${generationsOf(it)}`;
}

const sayFewEvents = (it: Case): string =>
  `${stayed(it)}: too few to tell a slow leak from late set-up`;

const moreSlices = ({ finding, window }: Case): string => {
  const more = slicesUntil("likely", finding, window.slices);
  return `About ${counted(more, "more slice")} needed`;
};

function adviceForLikely({ finding, window }: Case): string {
  const more = counted(slicesUntil("confirmed", finding, window.slices), "more slice");
  const { alternative } = finding.growth;
  if (alternative === null) return `About ${more} will tell`;
  const what = finding.path === "container" ? "container" : "cache";
  return `Or ${nameOf(alternative, what)}: about ${more} will tell`;
}

/** Sentence and advice for a window with fewer slices than any verdict needs. */
export function sayTooShort({ from, to, slices }: Verdict["window"]): Said {
  const missing = threshold.minSlices - slices;
  const so = slices === 0 ? "No slice so far" : `Only ${counted(slices, "slice")} so far`;
  const period = advisedPeriod(to - from);
  const shorter = period === null ? "" : `, or --period ${typedPeriod(period)} over the same time`;
  return {
    sentence: `${so}: a verdict needs ${threshold.minSlices}`,
    advice: `${counted(missing, "more slice")}${shorter}`,
  };
}
