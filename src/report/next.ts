/** The closing line: what a person does next, as a command where there is one. */
import { typedPeriod } from "../base/period.js";
import type { ProcessReport } from "../contract/report.js";
import { commandLine } from "./head.js";
import { isLeak, roots } from "./leaks.js";
import { type Page, prose, section } from "./page.js";
import { ownFrame, sourceOf } from "./places.js";
import { betterPeriod, isTooShort } from "./too-short.js";

/** The command that was given, with other options. Never broken into lines: it is there to be copied. */
function again(page: Page, process: ProcessReport, options: string): string {
  const edleak = page.command?.edleak ?? "edleak";
  const program = page.command?.program ?? process.argv;
  return `  ${commandLine(page, [edleak])} run ${options} -- ${commandLine(page, program)}`;
}

function afterLeaks(page: Page, process: ProcessReport): string[] {
  const worst = roots(process).find(isLeak);
  const frame = worst === undefined ? null : ownFrame(worst.frames);
  const source = frame === null ? "" : sourceOf(page, frame);
  const first =
    source === ""
      ? "No line is known for the first leak: build with -g, or install the library's debug symbols (edleak doctor says what is missing)"
      : `Start at ${source} and ask who should free what it allocates`;
  return [
    ...prose(page, first),
    "To make a test fail on it:",
    again(page, process, `--fail-on ${worst?.verdict.state ?? "likely"}`),
  ];
}

function afterUndecided(page: Page, process: ProcessReport): string[] {
  if (!isTooShort(process)) return prose(page, process.verdict.advice ?? "Let it run longer");
  const period = process.totals.allocs > 0 ? betterPeriod(process) : null;
  return period === null
    ? prose(page, "Give the program more to do, so that it runs longer")
    : ["Look more often:", again(page, process, `--period ${typedPeriod(period)}`)];
}

function words(page: Page, process: ProcessReport): string[] {
  switch (process.verdict.state) {
    case "leaks":
      return afterLeaks(page, process);
    case "suspect":
      return prose(page, process.verdict.advice ?? "Let it run longer: more slices will settle it");
    case "undecided":
      return afterUndecided(page, process);
    case "unseen":
      return prose(page, process.verdict.advice ?? "Ask for the reason: edleak doctor");
    case "clean":
      return prose(
        page,
        process.verdict.advice ??
          "This is about the work done while it was watched; other work may leak elsewhere",
      );
  }
}

export const nextSection = (page: Page, process: ProcessReport): string[] =>
  section(page, "next", "strong", words(page, process));
