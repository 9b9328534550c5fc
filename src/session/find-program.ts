/**
 * Which file a command line really runs: PATH is searched as execvp does it, and a script is followed
 * to its interpreter, since that is the program whose memory is watched.
 */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { edleakError } from "../base/edleak-error.js";
import { absolutePath } from "./working-folder.js";

/** A program that can be executed. */
export interface Program {
  /** As it was typed. */
  readonly name: string;
  /** The file that is executed: absolute, a script or a binary. */
  readonly path: string;
  /** The binary that the kernel ends up with, symbolic links resolved; `path` but for scripts. */
  readonly binary: string;
  /** True when `binary` is the interpreter of a script. */
  readonly isScript: boolean;
}

/** Where execvp looks when there is no PATH. */
const DEFAULT_PATH = "/bin:/usr/bin";

/** Interpreters of interpreters that the kernel follows. */
const SCRIPT_DEPTH = 5;

/** What the kernel reads of a script's first line. */
const FIRST_LINE_BYTES = 256;

/**
 * Finds the program, or throws NOT_FOUND or NOT_EXECUTABLE as execvp would fail.
 * @param searchPath value of PATH, undefined when there is none
 */
export function findProgram(name: string, searchPath: string | undefined): Program {
  const path = name.includes("/") ? checked(name) : search(name, searchPath);
  const binary = interpreterOf(path, searchPath);
  return { name, path, binary, isScript: binary !== realpathSync(path) };
}

/** Why a file can't be executed, null when it can. */
function obstacle(path: string): "ENOENT" | "EACCES" | "EISDIR" | null {
  try {
    if (statSync(path).isDirectory()) return "EISDIR";
    accessSync(path, constants.X_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "EACCES" : "ENOENT";
  }
}

function refuse(name: string, why: "ENOENT" | "EACCES" | "EISDIR"): never {
  if (why === "ENOENT") throw edleakError("NOT_FOUND", name);
  throw edleakError(
    "NOT_EXECUTABLE",
    name,
    why === "EISDIR" ? "it is a directory" : "no permission",
  );
}

/** Looked at before it is made absolute: in a deleted working folder nothing is found, as in execvp. */
function checked(name: string): string {
  const why = obstacle(name);
  if (why !== null) refuse(name, why);
  return absolutePath(name);
}

/** First executable of that name; execvp says "no permission" only when it found nothing better. */
function search(name: string, searchPath: string | undefined): string {
  if (name === "") refuse(name, "ENOENT");
  let why: "ENOENT" | "EACCES" = "ENOENT";
  for (const folder of (searchPath ?? DEFAULT_PATH).split(":")) {
    const path = join(folder === "" ? "." : folder, name);
    const problem = obstacle(path);
    if (problem === null) return absolutePath(path);
    if (problem !== "ENOENT") why = "EACCES";
  }
  return refuse(name, why);
}

/** Words behind "#!" in the first line, null for anything but a script. */
function scriptLine(path: string): readonly string[] | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null; // executable but not readable: a binary for all we can tell
  }
  try {
    const buffer = Buffer.alloc(FIRST_LINE_BYTES);
    const head = buffer.toString("latin1", 0, readSync(fd, buffer, 0, FIRST_LINE_BYTES, 0));
    if (head.startsWith("#!")) return words(head.slice(2).split("\n", 1)[0] ?? "");
    // Neither a binary nor "#!": execvp hands it to the shell.
    return head.startsWith("\x7fELF") ? null : ["/bin/sh"];
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

const words = (line: string): readonly string[] =>
  line
    .trim()
    .split(/[ \t]+/)
    .filter(Boolean);

/** The program that `env` starts: behind its options and assignments. */
function throughEnv(line: readonly string[], searchPath: string | undefined): string | null {
  const name = line.slice(1).find((word) => !word.startsWith("-") && !word.includes("="));
  if (name === undefined) return null;
  try {
    return name.includes("/") ? checked(name) : search(name, searchPath);
  } catch {
    return null; // env itself will say so when it runs
  }
}

function interpreterOf(script: string, searchPath: string | undefined): string {
  let path = script;
  for (let depth = 0; depth < SCRIPT_DEPTH; depth++) {
    const line = scriptLine(path);
    const [interpreter] = line ?? [];
    if (line === null || interpreter === undefined) break;
    const isEnv = interpreter.endsWith("/env");
    const next = (isEnv ? throughEnv(line, searchPath) : null) ?? interpreter;
    const why = obstacle(next);
    if (why === "ENOENT") throw edleakError("INTERPRETER_NOT_FOUND", script, next);
    if (why !== null) refuse(next, why);
    path = absolutePath(next);
  }
  return realpathSync(path);
}
