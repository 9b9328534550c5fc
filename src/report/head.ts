/** The first lines of a process's report: the verdict, then which program it is about and for how long. */
import { counted, formatBytes, formatCount, formatDuration } from "../base/format.js";
import type { ProcessExit, ProcessReport } from "../contract/report.js";
import type { ProcessState } from "../contract/verdict.js";
import { type Page, prose, section, type Tone } from "./page.js";
import { shellWord } from "./printable.js";
import { cutInTheMiddle } from "./short-name.js";
import { joinParts } from "./wrap.js";

const TONES: Readonly<Record<ProcessState, Tone>> = {
  leaks: "leak",
  suspect: "notice",
  clean: "good",
  undecided: "strong",
  unseen: "warning",
};

/** Program and arguments as they would be typed. */
export const commandLine = (page: Page, words: readonly string[]): string =>
  words.map((word) => shellWord(page.safe(word))).join(" ");

/** The name that processes of one program share: its first word, and a script that it runs. */
export function programName(page: Page, process: ProcessReport): string {
  const [program = process.exe, first] = process.argv;
  const script = first !== undefined && /^[^-].*\.\w+$/.test(first) ? [first] : [];
  return commandLine(page, [program, ...script]);
}

function endOf(page: Page, exit: ProcessExit): string {
  if (exit.signal !== null) return `ended by ${page.safe(exit.signal)}`;
  return exit.code === null ? "still running" : `exited with ${exit.code}`;
}

function watched(process: ProcessReport): string {
  return `${counted(process.slices, "slice")} in ${formatDuration(process.durationSeconds)}`;
}

/** Verdict, program, totals; without the slices' times when nothing could be measured. */
export function headSection(page: Page, process: ProcessReport): string[] {
  const argv = process.argv.length > 0 ? process.argv : [process.exe];
  const program = cutInTheMiddle(
    commandLine(page, argv),
    Math.max(24, page.width - 16),
    page.ellipsis,
  );
  const { totals, verdict } = process;
  const facts = joinParts(
    [`${program} (pid ${process.pid})`, watched(process), endOf(page, process.exit)],
    page.dot,
    page.width,
  );
  const heap = joinParts(
    [
      `${formatBytes(totals.liveBytes)} live in ${counted(totals.liveBlocks, "block")}`,
      `${formatCount(totals.allocs)} allocated, ${formatCount(totals.frees)} freed`,
    ],
    page.dot,
    page.width,
  );
  return section(page, verdict.state.toUpperCase(), TONES[verdict.state], [
    ...prose(page, verdict.sentence, "strong"),
    ...facts,
    ...(verdict.state === "unseen" ? [] : heap.map((line) => page.paint("faint", line))),
  ]);
}
