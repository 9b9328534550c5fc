/** Sentences about what doesn't leak: filling, flushed, turned over, idle. */
import { counted, formatCount, formatDuration, formatPercent } from "../base/format.js";
import type { AllocerSeries, Evidence } from "../contract/verdict.js";
import { type Case, nameOf, olderThan, type Said, verb } from "./case.js";
import { generationCount } from "./generations.js";
import { lastMassRelease } from "./mass-release.js";
import { slicesUntil } from "./states.js";
import { threshold } from "./thresholds.js";

/** "Growth is ending: 96 % of it happened in the first third", or why the growth is not taken for a leak. */
export function sayFilling(it: Case): Said {
  const { growth, gate, score } = it.finding;
  if (growth.firstThirdShare >= threshold.endingShare) {
    const share = formatPercent(growth.firstThirdShare);
    return {
      sentence: `Growth is ending: ${share} of it happened in the first third`,
      advice: null,
    };
  }
  const advice = "Keep watching: a leak would go on at this pace";
  if (gate < threshold.deathsDecide) return { sentence: sayDeaths(it), advice };
  const { alternative } = growth;
  if (alternative === null) return { sentence: "Grows, but none of its blocks gets old", advice };
  const other = nameOf(alternative, "cache");
  if (score <= 0) return { sentence: `Grows, but more like ${other} than like a leak`, advice };
  const more = counted(slicesUntil("likely", it.finding, it.window.slices), "more slice");
  return {
    sentence: `Grows, too little so far to tell a leak from ${other}`,
    advice: `About ${more} needed`,
  };
}

/** "Grows, but its blocks are freed: 140 of 177 blocks older than 1.5 s were". */
function sayDeaths({ facts }: Case): string {
  const { matureFreed: freed, matureAlive: alive } = facts;
  const all = `${counted(freed + alive, "block")}${olderThan(facts)}`;
  const were = verb(freed, "was", "were");
  return `Grows, but its blocks are freed: ${formatCount(freed)} of ${all} ${were}`;
}

/** A flush was seen: the growth since is what precedes the next one. */
export function sayFlushed({ series, window }: Case): Said {
  const release = lastMassRelease(series.blocks);
  const ago = formatDuration(window.to - (series.times[release] ?? window.to));
  return {
    sentence: `Released most of its blocks at once ${ago} ago; hardly any block older than that is left`,
    advice: "Keep watching until the next release: a leak would outlive it",
  };
}

/** Blocks stay, but others go: the number of live blocks shows no leak. */
export function sayBalanced({ series }: Case): Said {
  const live = counted(Math.round(series.blocks[series.blocks.length - 1] ?? 0), "live block");
  return {
    sentence: `Older blocks are freed as fast as new ones stay: its ${live} have not grown accordingly`,
    advice: null,
  };
}

/** "Blocks live 3 s on average; none older than 9 s". */
export function sayStable(it: Case): string {
  const { series, facts } = it;
  const { evidence } = series;
  if (evidence === null) return "The bytes that are never given back don't grow";
  const lifetime = meanLifetime(evidence, it.window);
  if (lifetime === null) return facts.growthEvents > 0 ? sayStopped(it) : sayIdle(series);
  const sliceSeconds = (it.window.to - it.window.from) / Math.max(1, it.window.slices - 1);
  const live =
    lifetime < sliceSeconds
      ? `Blocks live less than ${formatDuration(sliceSeconds)}`
      : `Blocks live ${formatDuration(lifetime)} on average`;
  return `${live}; ${sayOldest(it, evidence)}`;
}

/** Mean age at free in seconds; null when nothing was freed. */
function meanLifetime(evidence: Evidence, { from, to, slices }: Case["window"]): number | null {
  let freed = 0;
  let ages = 0;
  for (let bucket = 0; bucket < evidence.ageFrees.length; bucket++) {
    const count = evidence.ageFrees[bucket] ?? 0;
    freed += count;
    // Bucket b holds ages 2^(b-1) to 2^b - 1 slices; their middle.
    if (bucket > 0) ages += count * (1.5 * 2 ** (bucket - 1) - 0.5);
  }
  return freed > 0 ? ((ages / freed) * (to - from)) / Math.max(1, slices - 1) : null;
}

/** How old the oldest live block is, among those allocated since the start. */
function sayOldest(it: Case, evidence: Evidence): string {
  const generations = generationCount(evidence);
  let oldest = 1;
  while (oldest < generations && !((evidence.liveCount[oldest] ?? 0) > 0)) oldest++;
  if (oldest === generations) return "none allocated since the start is left";
  if (it.facts.growthEvents > 0) return stayed(it);
  const age = it.window.to - (evidence.endTimes[oldest - 1] ?? it.window.from);
  return `none older than ${formatDuration(age)}`;
}

/** "12 older than 9 s are left". */
function stayed({ facts }: Case): string {
  const are = verb(facts.matureAlive, "is", "are");
  const older = olderThan(facts);
  return `${formatCount(facts.matureAlive)}${older} ${are} ${older === "" ? "alive" : "left"}`;
}

function sayStopped({ facts }: Case): string {
  const blocks = counted(facts.matureAlive, "block");
  const ago = formatDuration(facts.sinceLastEvent);
  const slices = counted(facts.growthEvents, "slice");
  return `No lasting growth: ${blocks} stayed, allocated in ${slices}, the last ${ago} ago`;
}

function sayIdle({ blocks }: AllocerSeries): string {
  const live = Math.round(blocks[blocks.length - 1] ?? 0);
  if (live <= 0) return "Nothing of it is alive";
  return live === 1
    ? "Its one block doesn't multiply: no other has stayed since the start"
    : `Its ${formatCount(live)} blocks don't multiply: no other has stayed since the start`;
}
