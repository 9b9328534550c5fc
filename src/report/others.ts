/** Allocers that are no leaks as far as can be told: growing, filling, undecided, stable. Never shown as errors. */
import { counted, formatCount } from "../base/format.js";
import type { AllocerReport, ProcessReport } from "../contract/report.js";
import type { State } from "../contract/verdict.js";
import { roots } from "./leaks.js";
import { type Page, prose, section } from "./page.js";
import { mainPlace, placeLines } from "./places.js";

const MOST_SHOWN = 5;
const MOST_ADVICES = 3;

const inState = (process: ProcessReport, state: State): AllocerReport[] =>
  roots(process).filter((allocer) => allocer.verdict.state === state);

const moreLine = (page: Page, more: number): string[] =>
  more <= 0 ? [] : [page.paint("faint", `and ${counted(more, "more allocer")}: see --json FILE`)];

const INDENT = "  ";

const indentedProse = (page: Page, text: string): string[] =>
  prose({ ...page, proseWidth: page.proseWidth - INDENT.length }, text, "faint").map(
    (line) => INDENT + line,
  );

/** Each allocer with its place and, below, why it is here and what would settle it. */
function withReasons(page: Page, allocers: readonly AllocerReport[]): string[] {
  return allocers.flatMap((allocer) => {
    const { sentence, advice } = allocer.verdict;
    const reason = advice === null ? sentence : `${sentence} ${advice}`;
    return [...placeLines(page, [mainPlace(page, allocer)]), ...indentedProse(page, reason)];
  });
}

function listed(page: Page, process: ProcessReport, state: State, label: string, title: string) {
  const count = process.totals.byState[state];
  if (count === 0) return [];
  const shown = inState(process, state).slice(0, MOST_SHOWN);
  return section(page, label, "notice", [
    ...prose(page, `${counted(count, "allocer")}, ${title}`),
    ...withReasons(page, shown),
    ...moreLine(page, count - shown.length),
  ]);
}

/** How many allocers are undecided, and what would settle it, the advice that helps most of them first. */
function undecidedSection(page: Page, process: ProcessReport): string[] {
  const count = process.totals.byState.undecided;
  if (count === 0) return [];
  const helps = new Map<string, number>();
  for (const { verdict } of inState(process, "undecided"))
    if (verdict.advice !== null) helps.set(verdict.advice, (helps.get(verdict.advice) ?? 0) + 1);
  const advices = [...helps]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST_ADVICES)
    .map(([advice, allocers]) =>
      helps.size === 1 ? advice : `${advice} (${formatCount(allocers)})`,
    );
  return section(page, "undecided", "faint", [
    counted(count, "allocer"),
    ...advices.flatMap((advice) => prose(page, `${page.arrow} ${advice}`, "faint")),
  ]);
}

/** What is said below the leaks, best evidence first; `stable` is only a number. */
export function otherSections(page: Page, process: ProcessReport): string[] {
  const stable = process.totals.byState.stable;
  return [
    ...listed(page, process, "suspect", "growing", "not enough evidence to call it a leak"),
    ...listed(page, process, "filling", "filling", "growth is ending"),
    ...undecidedSection(page, process),
    ...(stable === 0 ? [] : section(page, "stable", "faint", [counted(stable, "allocer")])),
  ];
}
