/** Where segments lie, which there are, and how one is removed (behaviour: segments' life). */
import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { ok, type Result, refused } from "../base/result.js";
import { lockPath } from "./lock-file.js";
import { openSegment } from "./open-segment.js";

/** Why a directory is not searched for segments. */
export type DirectoryRefusal =
  | { readonly kind: "gone" }
  | { readonly kind: "notADirectory" }
  | { readonly kind: "wrongOwner"; readonly uid: number; readonly expected: number }
  /** Others may look into it or write to it; the mode's permission bits. */
  | { readonly kind: "open"; readonly mode: number }
  | { readonly kind: "io"; readonly code: string };

/** A file whose name is a segment's; nothing of its content is believed yet. */
export interface SegmentFile {
  readonly path: string;
  readonly pid: number;
  /** Clock ticks after boot. */
  readonly startTime: number;
  /** How often the process had replaced its program before this one: the highest is the one that runs. */
  readonly image: number;
}

/**
 * Path of the directory that holds the segments of a user: EDLEAK_DIR if it is absolute, else
 * /dev/shm/edleak-<euid>, as the agent decides.
 */
export function segmentDirectory(
  euid: number = process.geteuid?.() ?? 0,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const chosen = environment.EDLEAK_DIR ?? "";
  return isAbsolute(chosen) ? chosen : `/dev/shm/edleak-${euid}`;
}

/**
 * Checks a directory as the agent does: a directory, no symbolic link, owned by the user, closed to
 * others. Root may look into everybody's.
 */
export function checkSegmentDirectory(
  path: string,
  euid: number = process.geteuid?.() ?? 0,
): Result<string, DirectoryRefusal> {
  try {
    const stats = lstatSync(path);
    if (!stats.isDirectory()) return refused({ kind: "notADirectory" });
    if (euid !== 0 && stats.uid !== euid)
      return refused({ kind: "wrongOwner", uid: stats.uid, expected: euid });
    const mode = stats.mode & 0o777;
    return mode & 0o077 ? refused({ kind: "open", mode }) : ok(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    return refused(code === "ENOENT" ? { kind: "gone" } : { kind: "io", code });
  }
}

/** The refusal in words, to stand behind "Cannot use the directory ...: ". */
export function describeDirectoryRefusal(refusal: DirectoryRefusal): string {
  switch (refusal.kind) {
    case "gone":
      return "it does not exist";
    case "notADirectory":
      return "it is not a directory";
    case "wrongOwner":
      return `it belongs to user ${refusal.uid}, not to user ${refusal.expected}`;
    case "open":
      return `its mode is ${refusal.mode.toString(8)}, not 700`;
    case "io":
      return `the system says ${refusal.code}`;
  }
}

/** Takes a segment's name apart; null for the name of something else. */
function parseSegmentName(directory: string, name: string): SegmentFile | null {
  const match = /^[0-9a-f]{8}-(\d{1,10})-(\d{1,15})(?:-(\d{1,3}))?$/.exec(name);
  if (!match) return null;
  const [pid, startTime, image] = [match[1], match[2], match[3] ?? "0"].map(Number);
  return { path: join(directory, name), pid: pid!, startTime: startTime!, image: image! };
}

/** Does the segment say that it belongs to this run? One that can't be believed (yet) doesn't. */
function belongsTo(file: SegmentFile, runId: string): boolean {
  const segment = openSegment(file.path);
  if (!segment.ok) return false;
  segment.value.close();
  return segment.value.header.runId === runId;
}

/**
 * The segments of a directory, oldest process first.
 * @param runId only those of this run
 */
export function findSegments(
  directory: string,
  runId?: string,
): Result<readonly SegmentFile[], DirectoryRefusal> {
  const checked = checkSegmentDirectory(directory);
  if (!checked.ok) return checked;
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    return refused({ kind: "io", code: (error as NodeJS.ErrnoException).code ?? "unknown" });
  }
  const files = names
    .map((name) => parseSegmentName(directory, name))
    .filter((file) => file !== null)
    .filter((file) => runId === undefined || belongsTo(file, runId));
  return ok(files.sort((a, b) => a.startTime - b.startTime || a.pid - b.pid || a.image - b.image));
}

/** Removes a segment and its lock; false when it was gone already or may not be removed. */
export function removeSegment(path: string): boolean {
  let removed = true;
  for (const file of [path, lockPath(path)]) {
    try {
      unlinkSync(file);
    } catch {
      if (file === path) removed = false;
    }
  }
  return removed;
}
