/**
 * Writing to the terminal or pipe that edleak was given, without process.stdout and process.stderr: those
 * may switch a pipe that the target shares to non-blocking, and die of EPIPE.
 */
import { writeSync } from "node:fs";
import { edleakError } from "../base/edleak-error.js";

const STDOUT = 1;
const STDERR = 2;

/** Waits between two tries on a pipe that somebody made non-blocking and that is full. */
const RETRY_MS = 5;
/** A reader that takes nothing for so long has stopped reading. */
const GIVE_UP_MS = 10_000;

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of it; false when nobody reads it (closed, EPIPE, hung-up terminal) or the disk is full. */
function writeAll(descriptor: number, text: string): boolean {
  let rest = Buffer.from(text, "utf8");
  let waited = 0;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
      waited = 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || waited >= GIVE_UP_MS) return false;
      Atomics.wait(sleeper, 0, 0, RETRY_MS);
      waited += RETRY_MS;
    }
  }
  return true;
}

/** Writes what a command is there to print; throws STDOUT_NOT_WRITABLE. */
export function toStdout(text: string): void {
  if (!writeAll(STDOUT, text)) throw edleakError("STDOUT_NOT_WRITABLE");
}

/** False when nobody reads it, which is no reason to end. */
export const toStderr = (text: string): boolean => writeAll(STDERR, text);
