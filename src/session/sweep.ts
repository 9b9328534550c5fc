/** Removes what a killed host left behind: segments of dead processes whose owner is dead as well. */
import { existsSync } from "node:fs";
import {
  claimSegment,
  findSegments,
  isDead,
  openSegment,
  removeSegment,
} from "../segment/index.js";
import { lockPath } from "../segment/lock-file.js";

/**
 * Sweeps a segment directory; gives the number of segments removed. A dead process's segment that nobody
 * ever owned stays: the host of its run may not have got to it yet.
 */
export function sweep(directory: string): number {
  const files = findSegments(directory);
  if (!files.ok) return 0;
  let removed = 0;
  for (const { path } of files.value) {
    if (existsSync(lockPath(path)) && isOrphan(path) && removeSegment(path)) removed++;
  }
  return removed;
}

/** Dead, and its lock is free to take, which it is only when the owner named in it is dead. */
function isOrphan(path: string): boolean {
  const segment = openSegment(path);
  if (!segment.ok) return false;
  try {
    if (!isDead(segment.value.header)) return false;
    const owner = claimSegment(segment.value);
    if (owner.ok) owner.value.close();
    return owner.ok;
  } finally {
    segment.value.close();
  }
}
