/** The part of a report that matters most: each confirmed or likely leak, and blocks written past their end. */
import { counted, formatBytes, formatCount, formatRateInterval } from "../base/format.js";
import type { AllocerReport, ProcessReport } from "../contract/report.js";
import { type Page, prose, section } from "./page.js";
import { mainPlace, placeLines, stackOf } from "./places.js";
import { joinParts } from "./wrap.js";

/** Leaks shown in full; the others are counted, and listed in the JSON. */
const MOST_LEAKS = 20;
const MOST_OVERRUNS = 5;

/** What people are told of: branches of a watched allocer are judged with their root. */
export const roots = (process: ProcessReport): AllocerReport[] =>
  process.allocers.filter((allocer) => allocer.parentId === null);

export const isLeak = (allocer: AllocerReport): boolean =>
  allocer.verdict.state === "confirmed" || allocer.verdict.state === "likely";

/** What is alive of an allocer and what it did in all. */
const totalsLine = (allocer: AllocerReport): string[] => [
  `${formatBytes(allocer.liveBytes)} live in ${counted(allocer.liveBlocks, "block")}`,
  `${formatCount(allocer.totalAllocs)} allocated, ${formatCount(allocer.totalFrees)} freed`,
];

function leakSection(page: Page, allocer: AllocerReport): string[] {
  const { verdict } = allocer;
  const confirmed = verdict.state === "confirmed";
  const head = joinParts(
    [
      confirmed ? "confirmed" : "likely   ",
      formatRateInterval(verdict.rate),
      verdict.class ?? "",
    ].filter((part) => part !== ""),
    "   ",
    page.width,
  ).map((line) => page.paint(confirmed ? "leak" : "strong", line));
  const early = allocer.sustained
    ? []
    : prose(page, "Seen at the last evaluation only: --fail-on waits for a second one", "faint");
  return section(page, "LEAK", "leak", [
    ...head,
    ...placeLines(page, stackOf(page, allocer)),
    ...prose(page, verdict.sentence),
    ...(verdict.advice === null ? [] : prose(page, `${page.arrow} ${verdict.advice}`)),
    ...early,
    ...joinParts(totalsLine(allocer), page.dot, page.width).map((line) =>
      page.paint("faint", line),
    ),
  ]);
}

/** Sections of all leaks, worst first, an empty line before each. */
export function leakSections(page: Page, process: ProcessReport): string[] {
  const leaks = roots(process).filter(isLeak);
  const shown = leaks.slice(0, MOST_LEAKS);
  const more = leaks.length - shown.length;
  return [
    ...shown.flatMap((allocer) => ["", ...leakSection(page, allocer)]),
    ...(more === 0
      ? []
      : section(page, "", "faint", ["", `and ${counted(more, "more leak")}: see --json FILE`])),
  ];
}

/** Blocks whose end was overwritten: not a leak, but a bug that the agent met by the way. */
export function overrunSection(page: Page, process: ProcessReport): string[] {
  const found = roots(process).filter((allocer) => allocer.overruns > 0);
  if (found.length === 0) return [];
  const blocks = found.reduce((sum, allocer) => sum + allocer.overruns, 0);
  const shown = found.toSorted((a, b) => b.overruns - a.overruns).slice(0, MOST_OVERRUNS);
  const more = found.length - shown.length;
  return section(page, "overruns", "warning", [
    ...prose(page, `${counted(blocks, "block")} written past their end, allocated by`),
    ...placeLines(
      page,
      shown.map((allocer) => mainPlace(page, allocer, counted(allocer.overruns, "block"))),
    ),
    ...(more === 0 ? [] : [`and ${counted(more, "more allocer")}: see --json FILE`]),
  ]);
}
