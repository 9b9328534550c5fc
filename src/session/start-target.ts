/** From a command line to a running target: finds it, checks that it can be seen, starts it with the agent. */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { constants } from "node:os";
import { edleakError } from "../base/edleak-error.js";
import {
  checkSegmentDirectory,
  describeDirectoryRefusal,
  segmentDirectory,
} from "../segment/segment-directory.js"; // not the index: the target starts before the rest is loaded
import { findProgram } from "./find-program.js";
import { builtAgent, LAUNCHER_PATH } from "./installation.js";
import type { Launcher } from "./launcher.js";
import { loadableAgent } from "./loadable-agent.js";
import { preflight } from "./preflight.js";
import { absolutePath } from "./working-folder.js";

export interface StartRequest {
  /** Program and arguments as text. */
  readonly program: readonly string[];
  /** Where in process.argv the program stands. */
  readonly programIndex: number;
  /** Run it although it can't be seen. */
  readonly force: boolean;
}

export interface StartedTarget {
  readonly pid: number;
  /** The binary that runs, as far as it was known before the start. */
  readonly binary: string;
  /** performance.now() at the start. */
  readonly startedAt: number;
  /** In every segment of this run. */
  readonly runId: string;
  readonly segmentDirectory: string;
  /** Why nothing will be seen, when it was started by force. */
  readonly obstacle: string | null;
  /** Sentences about memory that isn't malloc's. */
  readonly notes: readonly string[];
}

/** Hex digits of a run id; the segment has room for 31. */
const RUN_ID_BYTES = 8;

interface Watching {
  readonly agent: string;
  readonly directory: string;
}

/** A usable segment directory, made when it is missing; throws NO_SEGMENT_DIRECTORY. */
function prepareDirectory(env: NodeJS.ProcessEnv): string {
  const chosen = env.EDLEAK_DIR ? { EDLEAK_DIR: absolutePath(env.EDLEAK_DIR) } : {};
  const path = segmentDirectory(process.geteuid?.() ?? 0, chosen);
  const checked = checkSegmentDirectory(path);
  if (checked.ok) return path;
  if (checked.reason.kind !== "gone") {
    throw edleakError("NO_SEGMENT_DIRECTORY", path, describeDirectoryRefusal(checked.reason));
  }
  try {
    mkdirSync(path, { mode: 0o700, recursive: true });
    return path;
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw edleakError("NO_SEGMENT_DIRECTORY", path, `it can't be made (${why})`);
  }
}

/** What stands between us and a failed exec, in the words of the catalogue. */
function startFailure(name: string, errno: number): Error {
  const code = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0];
  const why: Readonly<Record<string, string>> = {
    E2BIG: "its arguments and environment are too long",
    EACCES: "no permission",
    EAGAIN: "there are too many processes",
    ELOOP: "too many symbolic links",
    ENOEXEC: "it is not a program of this machine",
    ENOMEM: "there is not enough memory",
    ETXTBSY: "it is open for writing",
  };
  if (code === "ENOENT" || code === "ENOTDIR") return edleakError("NOT_FOUND", name);
  return edleakError("NOT_EXECUTABLE", name, why[code ?? ""] ?? code ?? `error ${errno}`);
}

/** Whatever `force` forgives: the error's sentence instead of the error. */
function unlessForced<T>(force: boolean, attempt: () => T): T | string {
  try {
    return attempt();
  } catch (error) {
    if (!force) throw error;
    return (error as Error).message;
  }
}

/** Starts the target; throws an EdLeakError when there is nothing to start or it can't be seen. */
export async function startTarget(
  launcher: Launcher,
  request: StartRequest,
  env: NodeJS.ProcessEnv = process.env,
): Promise<StartedTarget> {
  const [name = ""] = request.program;
  const program = findProgram(name, env.PATH);
  const seen = await preflight(program, {
    hasCapabilities: (path) => launcher.hasCapabilities(path),
    sibling: LAUNCHER_PATH,
  });
  if (seen.obstacle !== null && !request.force) throw seen.obstacle;
  const watching = unlessForced<Watching>(request.force, () => ({
    agent: loadableAgent(builtAgent(), env),
    directory: prepareDirectory(env),
  }));
  const runId = randomBytes(RUN_ID_BYTES).toString("hex");
  const blind = seen.obstacle?.message ?? (typeof watching === "string" ? watching : null);
  const load = blind === null && typeof watching !== "string" ? watching : null;
  const result = await launcher.start(request.programIndex, {
    preload: load?.agent ?? null,
    variables: load === null ? {} : runVariables(runId, load.directory, env),
  });
  if (!result.started) throw startFailure(name, result.errno);
  return {
    pid: result.pid,
    binary: program.binary,
    startedAt: performance.now(),
    runId,
    segmentDirectory: load?.directory ?? "",
    obstacle: blind,
    notes: seen.notes,
  };
}

/** EDLEAK_DIR only when the user's is relative: the agent takes absolute ones alone. */
function runVariables(
  runId: string,
  directory: string,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const given = env.EDLEAK_DIR ?? "";
  const absolute = given === "" || given === directory;
  return { EDLEAK_RUN: runId, ...(absolute ? {} : { EDLEAK_DIR: directory }) };
}
