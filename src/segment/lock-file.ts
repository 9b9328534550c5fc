/**
 * The lock file beside a segment: who may own it. Whoever creates it holds it; one whose holder is
 * dead may be taken over.
 *
 * The file is made under another name and linked, so that it never exists without its content. A take-over
 * moves the dead lock aside and looks at what it got: if that was a living one, made in between, it
 * goes back. The holder finds out at its next heartbeat (`renewLock`) should that come too late.
 */
import {
  closeSync,
  constants,
  linkSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { ok, type Result, refused } from "../base/result.js";
import { isDead, type ProcessIdentity } from "./process.js";
import { type Refusal, refusalOf } from "./refusal.js";

/** The lock of a segment. */
export const lockPath = (segmentPath: string): string => `${segmentPath}.lock`;

/** Another living host owns the segment. */
export interface Owned {
  readonly kind: "owned";
  /** Its pid, as it sees itself; null when the lock does not say. */
  readonly pid: number | null;
}

/** Root may meet a lock that another user made: a FIFO must not hang it, an endless file not fill its memory. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CONTENT_LIMIT_BYTES = 256;

/** Names our temporary files, of which a process may need two at once. */
let made = 0;

const contentOf = (owner: ProcessIdentity): string =>
  `${owner.pid} ${owner.startTime} ${owner.pidNamespace} ${owner.bootId}\n`;

function parseOwner(content: string): ProcessIdentity | null {
  const match = /^(\d+) (\d+) (\d+) ([0-9a-f-]*)\n$/.exec(content);
  if (!match) return null;
  const [pid, startTime, pidNamespace] = match.slice(1, 4).map(Number) as [number, number, number];
  return { pid, startTime, pidNamespace, bootId: match[4]! };
}

function contentAt(path: string): string {
  const fd = openSync(path, OPEN_FLAGS);
  try {
    const bytes = Buffer.alloc(CONTENT_LIMIT_BYTES);
    return bytes.toString("latin1", 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone.
  }
}

/** Links a file with our name to the lock's path; false when there is a lock already. */
function create(path: string, self: ProcessIdentity): boolean {
  const temporary = `${path}.${self.pid}.${made++}`;
  writeFileSync(temporary, contentOf(self), { mode: 0o600, flag: "wx" });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    unlinkIfThere(temporary);
  }
}

/** The holder as the lock names it, with the content that said so; null when there is no lock. */
function holderOf(path: string): { content: string; owner: ProcessIdentity | null } | null {
  try {
    const content = contentAt(path);
    return { content, owner: parseOwner(content) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Moves a dead holder's lock out of the way; a living one that we caught instead goes back. */
function removeDead(path: string, content: string, self: ProcessIdentity): void {
  const aside = `${path}.${self.pid}.${made++}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else removed it
  }
  try {
    if (contentAt(aside) !== content) linkSync(aside, path);
  } catch {
    // A third one made a new lock: then two have lost theirs, and find out at their next heartbeat.
  }
  unlinkIfThere(aside);
}

/**
 * Takes the lock of a segment.
 * @returns true, or who holds it
 */
export function takeLock(
  segmentPath: string,
  self: ProcessIdentity,
  dead: (owner: ProcessIdentity) => boolean = isDead,
): Result<true, Owned | Refusal> {
  const path = lockPath(segmentPath);
  try {
    // Twice: once more after a dead owner's lock was removed.
    for (let tries = 0; tries < 2; tries++) {
      if (create(path, self)) return ok(true);
      const holder = holderOf(path);
      if (holder === null) continue;
      if (holder.owner === null || !dead(holder.owner))
        return refused({ kind: "owned", pid: holder.owner?.pid ?? null });
      removeDead(path, holder.content, self);
    }
    return create(path, self) ? ok(true) : refused({ kind: "owned", pid: null });
  } catch (error) {
    return refused(refusalOf(error));
  }
}

/** Does a living host hold the lock? A lock that can't be read is taken for held. */
export function isLockHeld(
  segmentPath: string,
  dead: (owner: ProcessIdentity) => boolean = isDead,
): boolean {
  try {
    const holder = holderOf(lockPath(segmentPath));
    return holder !== null && (holder.owner === null || !dead(holder.owner));
  } catch {
    return true;
  }
}

/** Is the lock still ours? */
function holdsLock(segmentPath: string, self: ProcessIdentity): boolean {
  return holderOf(lockPath(segmentPath))?.content === contentOf(self);
}

/**
 * Heartbeat: is the lock ours? One that somebody removed is made again; when even the directory is gone
 * nobody else can reach the segment, and it stays ours.
 */
export function renewLock(segmentPath: string, self: ProcessIdentity): boolean {
  const path = lockPath(segmentPath);
  try {
    return holderOf(path) === null ? create(path, self) : holdsLock(segmentPath, self);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Gives the lock back, if it is ours. */
export function releaseLock(segmentPath: string, self: ProcessIdentity): void {
  try {
    if (holdsLock(segmentPath, self)) unlinkIfThere(lockPath(segmentPath));
  } catch {
    // Not readable, so not ours.
  }
}
