/** Removes what killed hosts and ended runs left behind: segments of dead processes that nobody will read. */
import { existsSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { DIRECTORY_FILES } from "../contract/limits.js";
import {
  claimSegment,
  findSegments,
  isDead,
  isLockHeld,
  lockPath,
  openSegment,
  removeSegment,
} from "../segment/index.js";
import { isRunAlive } from "./run-lock.js";

/** Sweeps a segment directory; gives the number of segments removed. */
export function sweep(directory: string): number {
  const files = findSegments(directory);
  if (!files.ok) return 0;
  const crowded = files.value.length >= DIRECTORY_FILES / 2;
  let removed = 0;
  for (const { path } of files.value) {
    if (isOrphan(directory, path, crowded) && removeSegment(path)) removed++;
  }
  removeDeadRunLocks(directory);
  return removed;
}

/**
 * Of a dead process, and: owned by a dead host, or never owned by anybody while no living host runs its run.
 * A segment of no run was kept on purpose (EDLEAK_KEEP) or its process was killed: it stays while there is room.
 */
function isOrphan(directory: string, path: string, crowded: boolean): boolean {
  const segment = openSegment(path);
  if (!segment.ok) return false;
  try {
    const { header } = segment.value;
    if (!isDead(header)) return false;
    if (!existsSync(lockPath(path)))
      return header.runId === "" ? crowded : !isRunAlive(directory, header.runId);
    const owner = claimSegment(segment.value);
    if (owner.ok) owner.value.close();
    return owner.ok;
  } finally {
    segment.value.close();
  }
}

function removeDeadRunLocks(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!/^run-[0-9a-zA-Z_-]+\.lock$/.test(name)) continue;
    const path = join(directory, name);
    if (!isLockHeld(path.slice(0, -".lock".length))) unlinkSync(path);
  }
}
