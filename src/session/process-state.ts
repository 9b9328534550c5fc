/** What /proc says of a living process, beyond what its segment has. */
import { readFileSync, readlinkSync, statSync } from "node:fs";

/** Is the process stopped by job control? */
export function isStopped(pid: number): boolean {
  try {
    return /\) T /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Path of the program that a process runs, null when it can't be seen (any more). */
export function programOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
  } catch {
    return null;
  }
}

/** A file by device and inode, which stay the same when it is renamed or deleted. */
function fileAt(path: string): string | null {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

/** The file that a process runs, null when it can't be seen (any more). */
export const programFileOf = (pid: number): string | null => fileAt(`/proc/${pid}/exe`);

/** The file that a process finds under an absolute path, null when there is none. */
export const fileSeenBy = (pid: number, path: string): string | null =>
  path.startsWith("/") ? fileAt(`/proc/${pid}/root${path}`) : null;
