/** Starts programs bare and under bin/edleak, each test file with its own folder and segment directory. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";

export const ROOT = resolve(import.meta.dirname, "../..");
export const EDLEAK = join(ROOT, "bin/edleak");

/** True when the program is on PATH; a test that needs a missing one is skipped by `test.skipIf`. */
export const installed = (program: string): boolean =>
  (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, program)));

/** A folder of the test file's own, with a segment directory in it; removed at the end. */
export interface Scratch {
  readonly folder: string;
  readonly segments: string;
  /** The environment in which the tests run their programs: small, and the same everywhere. */
  readonly env: Readonly<Record<string, string>>;
}

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function scratch(name: string): Scratch {
  const folder = mkdtempSync(join(tmpdir(), `edleak-${name}-`));
  const segments = join(folder, "segments");
  mkdirSync(segments, { mode: 0o700 });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    LANG: "C.UTF-8",
    EDLEAK_DIR: segments,
    XDG_CACHE_HOME: join(folder, "cache"),
  };
  return { folder, segments, env };
}

/** Segments (and what else) left in the segment directory. */
export const leftBehind = ({ segments }: Scratch): readonly string[] => readdirSync(segments);

/** Compiles test/cli/programs/NAME.c into the folder; gives the program's path. */
export function compileProgram(
  { folder }: Scratch,
  name: string,
  flags: readonly string[] = [],
  output = name,
): string {
  const path = join(folder, output);
  const source = join(import.meta.dirname, `programs/${name}.c`);
  const cc = process.env.CC ?? "cc";
  execFileSync(cc, ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-o", path, source, ...flags]);
  return path;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

/** Starts a program in a session of its own, so that group signals stay within the test. */
export function start(
  { folder, env }: Scratch,
  command: readonly string[],
  options: StartOptions = {},
): ChildProcess {
  const [program = "", ...args] = command;
  return spawn(program, args, {
    cwd: options.cwd ?? folder,
    env: { ...env, ...options.env },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Waits for the end of a started program. */
export function ended(child: ChildProcess, input = ""): Promise<Ended> {
  const text = { stdout: "", stderr: "" };
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("latin1").on("data", (more: string) => {
      text[name] += more;
    });
  }
  return new Promise((done) => {
    child.on("close", (code, signal) => done({ code, signal, ...text }));
  });
}

/** Starts a program and waits for its end. */
export const runToEnd = (
  where: Scratch,
  command: readonly string[],
  options: StartOptions = {},
): Promise<Ended> => ended(start(where, command, options), options.input);

/** `edleak run` with options, and the program behind them. */
export const edleakRun = (
  where: Scratch,
  options: readonly string[],
  program: readonly string[],
  more: StartOptions = {},
): Promise<Ended> => runToEnd(where, [EDLEAK, "run", ...options, "--", ...program], more);

/** Polls until `condition` gives something; throws after the deadline with what was waited for. */
export async function until<T>(
  what: string,
  condition: () => T | null | undefined | false,
  deadlineMs = 30_000,
): Promise<T> {
  const last = performance.now() + deadlineMs;
  for (;;) {
    const found = condition();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > last) throw new Error(`Waited in vain for ${what}`);
    await new Promise((next) => setTimeout(next, 5));
  }
}
