/** `edleak run`: starts a program, watches it to its end, and says where its memory leaks. */
import { closeSync, openSync } from "node:fs";
import { edleakError } from "../base/edleak-error.js";
import { Launcher } from "../session/launcher.js";
import { startTarget } from "../session/start-target.js";
import type { Request } from "./command-line.js";
import { openOutputs } from "./output-file.js";

const STDOUT = 1;

/** A signal to a whole process tree reaches us too; the launcher alone decides when we end. */
function outliveSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
}

/** stdout is the target's: who reads it must see its end when the target ends, not when the report is done. */
function releaseStdout(): void {
  try {
    closeSync(STDOUT);
  } catch {
    // It was closed from the start.
  }
  openSync("/dev/null", "w");
}

/**
 * Runs the request. Normally doesn't return: the launcher ends this process together with itself.
 * @returns the exit status when nothing was started
 */
export async function run(request: Request & { readonly command: "run" }): Promise<number> {
  if (process.env.EDLEAK_RUN) throw edleakError("NESTED_RUN");
  const { options, program, programIndex } = request;
  const outputs = openOutputs({ json: options.json, report: options.report });
  outliveSignals();
  const launcher = Launcher.connect();
  const target = await startTarget(launcher, { program, programIndex, force: options.force });
  releaseStdout();
  // From here on the target runs: whatever is heavy is loaded only now.
  const { watchAndReport } = await import("./watch-and-report.js");
  return launcher.end(await watchAndReport(launcher, target, request, outputs));
}
