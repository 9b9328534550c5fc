/** Allocers that are no leaks as far as can be told: growing, filling, undecided, stable. Never shown as errors. */
import { counted } from "../base/format.js";
import type { AllocerReport, ProcessReport } from "../contract/report.js";
import { roots } from "./leaks.js";
import { inSentences, type Page, prose, section, type Tone } from "./page.js";
import { mainPlace, placeLines } from "./places.js";

/** Allocers shown of each state, fewer of those that need nobody's attention; the others are counted. */
const MOST_SHOWN = { suspect: 5, filling: 3, undecided: 3 } as const;
const INDENT = "  ";

/** Where the allocer is and, below, why it is here and what would settle it. */
function withReason(page: Page, allocer: AllocerReport): string[] {
  const { sentence, advice } = allocer.verdict;
  const narrower = { ...page, proseWidth: page.proseWidth - INDENT.length };
  const reason = prose(narrower, inSentences(sentence, advice), "faint");
  return [...placeLines(page, [mainPlace(page, allocer)]), ...reason.map((line) => INDENT + line)];
}

function stateSection(
  page: Page,
  process: ProcessReport,
  state: keyof typeof MOST_SHOWN,
  label: string,
  tone: Tone,
): string[] {
  const count = process.totals.byState[state];
  if (count === 0) return [];
  const shown = roots(process)
    .filter((allocer) => allocer.verdict.state === state)
    .slice(0, MOST_SHOWN[state]);
  const more = count - shown.length;
  return section(page, label, tone, [
    counted(count, "allocer"),
    ...shown.flatMap((allocer) => withReason(page, allocer)),
    ...(more <= 0
      ? []
      : [page.paint("faint", `and ${counted(more, "more allocer")}: see --json FILE`)]),
  ]);
}

/** What is said below the leaks, best evidence first; `stable` is only a number. */
export function otherSections(page: Page, process: ProcessReport): string[] {
  const stable = process.totals.byState.stable;
  return [
    ...stateSection(page, process, "suspect", "growing", "notice"),
    ...stateSection(page, process, "filling", "filling", "notice"),
    ...stateSection(page, process, "undecided", "undecided", "faint"),
    ...(stable === 0 ? [] : section(page, "stable", "faint", [counted(stable, "allocer")])),
  ];
}
