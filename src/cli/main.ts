/**
 * The command `edleak`, behind bin/edleak. It imports little: the target of `run` starts before anything
 * that only a report needs is loaded.
 */
import { EdLeakError } from "../base/edleak-error.js";
import { edleakVersion } from "../session/installation.js";
import { parseCommandLine, type Request } from "./command-line.js";
import { say, shown } from "./say.js";
import { toStderr, toStdout } from "./streams.js";

/** Node's own reaction is to open a debugger port. */
process.on("SIGUSR1", () => {});

/** Status of a failure of edleak itself. */
const INTERNAL_ERROR = 125;

async function perform(request: Request): Promise<number> {
  switch (request.command) {
    case "print":
      toStdout(request.text);
      return 0;
    case "run":
      return (await import("./run.js")).run(request);
    case "doctor":
      return (await import("./doctor.js")).doctor();
    case "agent":
      return (await import("./agent.js")).agent();
    case "env":
      return (await import("./env.js")).env();
  }
}

/** Says what went wrong; returns the exit status. */
function explain(error: unknown): number {
  if (error instanceof EdLeakError) {
    say(error.message, error.advice);
    return error.exit;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  say("Internal error, please report it");
  toStderr(`${stack.split("\n").map(shown).join("\n")}\n`);
  return INTERNAL_ERROR;
}

async function main(): Promise<void> {
  let status: number;
  try {
    status = await perform(parseCommandLine(process.argv, edleakVersion()));
  } catch (error) {
    status = explain(error);
  }
  process.exit(status);
}

await main();
