/** The line that every report has: how much was seen and what was lost, in words. */
import { formatCount, formatPercent } from "../base/format.js";
import type { Coverage } from "../contract/report.js";
import { LOSSES } from "../contract/segment.js";
import { type Page, prose, section } from "./page.js";
import { joinParts } from "./wrap.js";

/** Below this share of the heap the number is pointed out; a process is not called clean below it. */
const ENOUGH_SEEN = 0.95;

function seenText(page: Page, coverage: Coverage): string {
  if (coverage.seen === null) return "share seen: not known";
  const text = `${formatPercent(coverage.seen, 1)} seen`;
  return coverage.seen < ENOUGH_SEEN ? page.paint("warning", text) : text;
}

function lostText(page: Page, coverage: Coverage): string {
  const text = `${formatCount(coverage.lostEvents)} of ${formatCount(coverage.events)} events lost`;
  return coverage.lostEvents > 0 ? page.paint("warning", text) : text;
}

/** Losses that occurred, each with its reason; harmless ones last, and said to be so. */
function reasons(page: Page, coverage: Coverage): string[] {
  const occurred = LOSSES.flatMap((loss) => {
    const count = coverage.lost[loss.name] ?? 0;
    return count > 0 ? [{ ...loss, count }] : [];
  });
  const text = (loss: (typeof occurred)[number]) => `${formatCount(loss.count)} ${loss.doc}`;
  return [
    ...occurred.filter((loss) => !loss.harmless).flatMap((loss) => prose(page, text(loss))),
    ...occurred
      .filter((loss) => loss.harmless)
      .flatMap((loss) => prose(page, `harmless: ${text(loss)}`, "faint")),
  ];
}

export function coverageSection(page: Page, coverage: Coverage): string[] {
  return section(page, "coverage", "faint", [
    ...joinParts([seenText(page, coverage), lostText(page, coverage)], page.dot, page.width),
    ...reasons(page, coverage),
    ...coverage.notes.flatMap((note) => prose(page, note)),
  ]);
}
