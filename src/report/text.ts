/** The report for people: the verdict first, then each leak, then the rest, then how far it can be trusted. */
import { counted } from "../base/format.js";
import type { ProcessReport, RunReport } from "../contract/report.js";
import { PROCESS_STATES, type ProcessState } from "../contract/verdict.js";
import { coverageSection } from "./coverage.js";
import { groupLines } from "./groups.js";
import { headSection } from "./head.js";
import { leakSections, overrunSection, roots } from "./leaks.js";
import { nextSection } from "./next.js";
import { otherSections } from "./others.js";
import { makePage, type Page, section, type TextOptions } from "./page.js";
import { isTooShort, tooShortSection } from "./too-short.js";

export type { Invocation, TextOptions } from "./page.js";

function processSection(page: Page, process: ProcessReport): string[] {
  const short = isTooShort(process);
  const rest = short
    ? tooShortSection(page, process)
    : process.verdict.state === "unseen"
      ? []
      : otherSections(page, process);
  return [
    ...headSection(page, process),
    ...leakSections(page, process),
    "",
    ...overrunSection(page, process),
    ...rest,
    ...coverageSection(page, process.coverage),
  ];
}

const FINDINGS: readonly ProcessState[] = ["leaks", "suspect", "unseen"];

/** Processes that get a section of their own. */
const hasFinding = (process: ProcessReport): boolean =>
  FINDINGS.includes(process.verdict.state) ||
  roots(process).some((allocer) => allocer.overruns > 0);

const worstFirst = (processes: readonly ProcessReport[]): ProcessReport[] =>
  processes.toSorted(
    (a, b) => PROCESS_STATES.indexOf(a.verdict.state) - PROCESS_STATES.indexOf(b.verdict.state),
  );

/** Several processes: a section for each that has a finding (the worst one if none has), the others by program. */
function treeSection(page: Page, processes: readonly ProcessReport[]): string[] {
  const sorted = worstFirst(processes);
  const found = sorted.filter(hasFinding);
  const shown = found.length > 0 ? found : sorted.slice(0, 1);
  return [
    ...section(page, "processes", "strong", [counted(processes.length, "process", "processes")]),
    ...groupLines(page, processes),
    ...shown.flatMap((process) => ["", ...processSection(page, process)]),
  ];
}

/**
 * Renders the report for people. Ends with a line end; contains no control character but the colours asked for.
 * @example
 * renderText(report, { width: 80, colour: false, unicode: true });
 */
export function renderText(report: RunReport, options: TextOptions): string {
  const page = makePage(options);
  const [worst] = worstFirst(report.processes);
  const lines =
    worst === undefined
      ? section(page, "UNSEEN", "warning", ["No process was watched"])
      : [
          ...(report.processes.length === 1
            ? processSection(page, worst)
            : treeSection(page, report.processes)),
          "",
          ...nextSection(page, worst),
        ];
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}
