// Runs the programs that setup, the gate and the demo are made of, quietly, and tells how they ended.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, without a slash at its end. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Tells make to use all processors. */
export const JOBS = `-j${cpus().length}`;

/** A program that hangs is ended after this long; the slowest stage takes a fraction of it. */
const DEADLINE_MS = 30 * 60_000;

let scratch;

/** A folder for outputs of this run, removed when the run ends. */
export function scratchFolder() {
  if (!scratch) {
    scratch = mkdtempSync(join(tmpdir(), "edleak-tools-"));
    process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
  }
  return scratch;
}

/** A program that `npm ci` installed, by its name. */
export const installed = (name) => join(root, "node_modules/.bin", name);

/**
 * Runs a program to its end, without a shell. Both its streams go to one file, so their order is kept
 * and a stray grandchild that holds them can't keep us waiting.
 * @returns {{ ok: boolean, missing: boolean, why: string, output: string }} `missing`: there is no such
 *   program; `why`: its end in words, empty when it ended well.
 */
export function run(command, args, { cwd = root, env = process.env } = {}) {
  const log = join(scratchFolder(), "output");
  const fd = openSync(log, "w");
  const { status, signal, error } = spawnSync(command, args, {
    cwd,
    env,
    stdio: ["ignore", fd, fd],
    timeout: DEADLINE_MS,
  });
  closeSync(fd);
  const output = readFileSync(log, "utf8");
  return {
    ok: status === 0,
    missing: error?.code === "ENOENT",
    why: endInWords(status, signal, error),
    output,
  };
}

function endInWords(status, signal, error) {
  if (error?.code === "ETIMEDOUT") return `not done after ${DEADLINE_MS / 60_000} minutes`;
  if (error) return error.message;
  if (signal) return `ended by ${signal}`;
  return status === 0 ? "" : `exit status ${status}`;
}

/** Seconds since a `Date.now()`, as every step prints them. */
export const secondsSince = (start) => `${((Date.now() - start) / 1000).toFixed(1)} s`;
