/** The part of `run` behind the start: watches, reports, and decides on the exit status. */
import type { RunReport } from "../contract/report.js";
import { STATES } from "../contract/verdict.js";
import type { Launcher, TerminalState } from "../session/launcher.js";
import { runSession } from "../session/run-session.js";
import type { StartedTarget } from "../session/start-target.js";
import type { Request } from "./command-line.js";
import type { OutputFile } from "./output-file.js";
import { Progress } from "./progress.js";
import { say } from "./say.js";
import { toStderr } from "./streams.js";
import { textOptions } from "./text-options.js";

/** Status for a finding that `--fail-on` asks about. */
const FOUND = 1;
/** Status when a report that was asked for could not be written. */
const NOT_WRITTEN = 125;

/** A file, or a terminal that nobody can ask for. */
const NO_TERMINAL: TerminalState = { mode: "none", columns: 0 };

type Outputs = { readonly json?: OutputFile; readonly report?: OutputFile };

/**
 * Watches the target to its end and makes the reports.
 * @returns the exit status, null for "as the target ended"
 */
export async function watchAndReport(
  launcher: Launcher,
  target: StartedTarget,
  request: Request & { readonly command: "run" },
  outputs: Outputs,
): Promise<number | null> {
  const { options, program } = request;
  const progress = new Progress(launcher, target, {
    program,
    quiet: options.quiet,
    grace: options.grace,
  });
  const { report, timeOver } = await runSession(
    launcher,
    target,
    { ...options, program, names: !options.quiet || Object.keys(outputs).length > 0 },
    (event) => progress.onEvent(event),
  );
  progress.end();
  const written = await writeReports(launcher, report, request, outputs);
  if (!written) return NOT_WRITTEN;
  if (hasFinding(report, options.failOn)) return FOUND;
  return timeOver ? 0 : null;
}

/** A finding of that state or a surer one, at two evaluations in a row. */
export function hasFinding(report: RunReport, failOn: "likely" | "confirmed" | null): boolean {
  if (failOn === null) return false;
  const least = STATES.indexOf(failOn);
  return report.processes.some(({ allocers }) =>
    allocers.some(({ verdict, sustained }) => sustained && STATES.indexOf(verdict.state) >= least),
  );
}

/**
 * Writes the reports that were asked for; when one can't be made, the others are.
 * Renderers are loaded when there is something to render.
 * @returns whether all were written; what went wrong was said on stderr
 */
export async function writeReports(
  launcher: Pick<Launcher, "terminal">,
  report: RunReport,
  { options, program }: Request & { readonly command: "run" },
  outputs: Outputs,
): Promise<boolean> {
  const problems: string[] = [];
  const write = (file: OutputFile, render: () => string): void => {
    const problem = makeAndWrite(file, render);
    if (problem !== null) problems.push(problem);
  };
  if (outputs.json !== undefined) {
    const { renderJson } = await import("../report/json.js");
    write(outputs.json, () => renderJson(report));
  }
  if (outputs.report !== undefined || !options.quiet) {
    const { renderText } = await import("../report/text.js");
    const text = (terminal: TerminalState): string =>
      renderText(report, textOptions(terminal, program));
    if (outputs.report !== undefined) write(outputs.report, () => text(NO_TERMINAL));
    else toStderr(`\n${text(await launcher.terminal().catch(() => NO_TERMINAL))}`);
  }
  for (const problem of problems) say(problem);
  return problems.length === 0;
}

/** A report can be too large for a string. */
function makeAndWrite(file: OutputFile, render: () => string): string | null {
  let text: string;
  try {
    text = render();
  } catch (error) {
    return `Cannot make "${file.name}": ${(error as Error).message}`;
  }
  return file.write(text);
}
