/**
 * The lock of a run: as long as its holder lives, segments of the run are waited for, even those that
 * nobody has read yet. It lies in the segment directory, beside the segments' own locks.
 */
import { join } from "node:path";
import { isLockHeld, releaseLock, selfIdentity, takeLock } from "../segment/index.js";

const runLockPath = (directory: string, runId: string): string => join(directory, `run-${runId}`);

/** Takes the lock of our run; without one (a full or read-only directory) the run goes on. */
export function takeRunLock(directory: string, runId: string): void {
  const self = selfIdentity();
  if (self !== null) takeLock(runLockPath(directory, runId), self);
}

export function releaseRunLock(directory: string, runId: string): void {
  const self = selfIdentity();
  if (self !== null) releaseLock(runLockPath(directory, runId), self);
}

/** Does a living host still run it? */
export function isRunAlive(directory: string, runId: string): boolean {
  return isLockHeld(runLockPath(directory, runId));
}
