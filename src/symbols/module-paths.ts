/** Under which paths the file behind a module can be read, the surest first. */

import { closeSync, openSync, readSync } from "node:fs";
import type { ModuleInfo } from "../contract/slice.js";

export interface ModulePaths {
  readonly paths: readonly string[];
  /** Root directory of the process as seen from here, "" when it is ours or not known. */
  readonly root: string;
  /** The live process says that its file is no longer at its path. */
  readonly deleted: boolean;
}

const MAPS_LIMIT_BYTES = 16 * 1024 * 1024;
const DELETED = " (deleted)";

/**
 * The paths for `module`. With `pid`, a live process that has it mapped, also those of /proc, which
 * reach files that were deleted, replaced, or are in a container. A process that does not have
 * the module mapped (its pid was used again) is ignored.
 */
export function modulePaths(module: ModuleInfo, pid: number | null): ModulePaths {
  const onDisk = module.path.startsWith("/") ? [module.path] : [];
  const mapping = pid === null ? null : findMapping(pid, module);
  if (pid === null || mapping === null) return { paths: onDisk, root: "", deleted: false };
  const exact = [`/proc/${pid}/map_files/${mapping.range}`];
  if (module.flags.executable) exact.unshift(`/proc/${pid}/exe`);
  const root = `/proc/${pid}/root`;
  if (mapping.deleted) return { paths: exact, root, deleted: true };
  return { paths: [...exact, root + module.path, ...onDisk], root, deleted: false };
}

interface Mapping {
  /** "7f0012340000-7f0012350000", as in map_files. */
  readonly range: string;
  readonly deleted: boolean;
}

function findMapping(pid: number, module: ModuleInfo): Mapping | null {
  for (const line of readMaps(pid).split("\n")) {
    const fields = /^([0-9a-f]{1,16})-([0-9a-f]{1,16}) \S+ \S+ \S+ \d+ +(\/.*)$/.exec(line);
    if (fields === null) continue;
    const [, low, high, path] = fields;
    const start = BigInt(`0x${low}`);
    if (start < module.start || start >= module.end) continue;
    if (path === module.path) return { range: `${low}-${high}`, deleted: false };
    if (path === module.path + DELETED) return { range: `${low}-${high}`, deleted: true };
  }
  return null;
}

/** The text of /proc/PID/maps, "" when it cannot be read. Its size is only known by reading it. */
function readMaps(pid: number): string {
  let fd = -1;
  const parts: Buffer[] = [];
  try {
    fd = openSync(`/proc/${pid}/maps`, "r");
    for (let total = 0; total < MAPS_LIMIT_BYTES; ) {
      const part = Buffer.alloc(64 * 1024);
      const got = readSync(fd, part);
      if (got === 0) break;
      parts.push(part.subarray(0, got));
      total += got;
    }
  } catch {
    return "";
  } finally {
    if (fd >= 0) closeSync(fd);
  }
  return Buffer.concat(parts).toString("utf8");
}
