/** A target that ended before a verdict was possible: what was alive at its end, by allocer. */
import { formatBytes, formatCount } from "../base/format.js";
import { advisedPeriod } from "../base/period.js";
import { MIN_SLICES } from "../contract/limits.js";
import type { AllocerReport, ProcessReport } from "../contract/report.js";
import { roots } from "./leaks.js";
import { type Page, section } from "./page.js";
import { mainPlace, placeRows } from "./places.js";
import { columns, padStart } from "./wrap.js";

const MOST_SHOWN = 10;
const GAP = 2;

/** Fewer slices than any verdict needs. A target that could not be seen is not "too short". */
export const isTooShort = (process: ProcessReport): boolean =>
  process.slices < MIN_SLICES && process.verdict.state === "undecided";

/** A shorter period in seconds that gives a run of this length enough slices; null when none does. */
export function betterPeriod({ durationSeconds, periodSeconds }: ProcessReport): number | null {
  const period = advisedPeriod(durationSeconds);
  return period !== null && period < periodSeconds ? period : null;
}

/** Rows "61 KB  212  function  file:line" under a header, the numbers right-aligned. */
function aliveRows(page: Page, allocers: readonly AllocerReport[]): string[] {
  const bytes = ["bytes", ...allocers.map((allocer) => formatBytes(allocer.liveBytes))];
  const blocks = ["blocks", ...allocers.map((allocer) => formatCount(allocer.liveBlocks))];
  const bytesWidth = Math.max(...bytes.map(columns));
  const blocksWidth = Math.max(...blocks.map(columns));
  const left = bytesWidth + GAP + blocksWidth + GAP;
  const places = placeRows(
    { ...page, width: page.width - left },
    allocers.map((allocer) => mainPlace(page, allocer)),
  );
  return ["allocer", ...places].flatMap((place, i) => {
    const numbers = [padStart(bytes[i] ?? "", bytesWidth), padStart(blocks[i] ?? "", blocksWidth)];
    const [first = "", ...more] = place.split("\n");
    const row = [...numbers, first].join(" ".repeat(GAP));
    return [
      i === 0 ? page.paint("faint", row) : row,
      ...more.map((line) => " ".repeat(left) + line),
    ];
  });
}

export function tooShortSection(page: Page, process: ProcessReport): string[] {
  const alive = roots(process)
    .filter((allocer) => allocer.liveBlocks > 0)
    .toSorted((a, b) => b.liveBytes - a.liveBytes);
  const shown = alive.slice(0, MOST_SHOWN);
  const more = alive.length - shown.length;
  const running = process.exit.code === null && process.exit.signal === null;
  const when = running ? "now" : "at its end";
  if (shown.length === 0) return section(page, "alive", "strong", [`${when}: nothing`]);
  return section(page, "alive", "strong", [
    `${when}; by itself this is no leak`,
    ...aliveRows(page, shown),
    ...(more === 0 ? [] : [page.paint("faint", `and ${formatCount(more)} more: see --json FILE`)]),
  ]);
}
