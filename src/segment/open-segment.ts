/** Opens a segment file and believes it only as far as docs/formats/segment.md allows. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { ok, type Result, refused } from "../base/result.js";
import { PAGE_BYTES, regionOffsets } from "../contract/segment.js";
import { parseCounts, parseHeader, type SegmentCounts, type SegmentHeader } from "./header.js";
import { type Refusal, refusalOf } from "./refusal.js";

/** O_NONBLOCK: opening a FIFO that somebody put there must not hang. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface OpenOptions {
  /** Effective user id of the reader; default: that of this process. */
  readonly euid?: number;
}

/** What the checks have found. */
interface Believed {
  readonly page: Buffer;
  readonly header: SegmentHeader;
  readonly counts: SegmentCounts;
}

/** An open, checked segment. The descriptor keeps it readable after the file was removed. */
export class OpenSegment {
  readonly path: string;
  readonly header: SegmentHeader;
  /** Where the regions lie, in bytes from the start of the file. */
  readonly layout: ReturnType<typeof regionOffsets>;
  /** The counts at the time of opening. */
  readonly counts: SegmentCounts;
  /** The header page at the time of opening. */
  readonly page: Buffer;
  /** Device and inode, to recognise the file again. */
  readonly file: { readonly dev: number; readonly ino: number };
  readonly #fd: number;
  #open = true;

  constructor(path: string, fd: number, stats: Stats, believed: Believed) {
    this.path = path;
    this.#fd = fd;
    this.file = { dev: stats.dev, ino: stats.ino };
    this.page = believed.page;
    this.header = believed.header;
    this.counts = believed.counts;
    this.layout = regionOffsets(believed.header.ceilings);
  }

  /** Fills `into` from its start with `length` bytes of the file; a file that ends before is refused. */
  readAt(into: Uint8Array, length: number, position: number): Refusal | null {
    return readExactly(this.#fd, into, length, position);
  }

  /** Closes the descriptor; again is harmless. */
  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

function readExactly(
  fd: number,
  into: Uint8Array,
  length: number,
  position: number,
): Refusal | null {
  try {
    let done = 0;
    while (done < length) {
      const got = readSync(fd, into, done, length - done, position + done);
      if (got === 0) return { kind: "badLayout", field: "fileBytes" };
      done += got;
    }
    return null;
  } catch (error) {
    return refusalOf(error);
  }
}

/** The file behind the descriptor, before a byte of it is read. Null when it may be read. */
function refuseFile(stats: Stats, euid: number): Refusal | null {
  if (!stats.isFile()) return { kind: "notASegment", why: "it is not a regular file" };
  if (euid !== 0 && stats.uid !== euid)
    return { kind: "wrongOwner", uid: stats.uid, expected: euid };
  if (stats.size === 0) return { kind: "notReady" };
  return stats.size < PAGE_BYTES ? { kind: "notASegment", why: "it is too short" } : null;
}

function check(path: string, fd: number, euid: number): Result<OpenSegment, Refusal> {
  const stats = fstatSync(fd);
  const file = refuseFile(stats, euid);
  if (file) return refused(file);
  const page = Buffer.alloc(PAGE_BYTES);
  const failure = readExactly(fd, page, PAGE_BYTES, 0);
  if (failure) return refused(failure);
  const header = parseHeader(page, stats.size);
  if (!header.ok) return header;
  const counts = parseCounts(page, header.value.ceilings);
  if (!counts.ok) return counts;
  // Root reads everybody's segments, but not one that claims to be another user's process.
  if (euid === 0 && stats.uid !== header.value.uid)
    return refused({ kind: "wrongOwner", uid: stats.uid, expected: header.value.uid });
  return ok(new OpenSegment(path, fd, stats, { page, header: header.value, counts: counts.value }));
}

/**
 * Opens a segment for reading.
 * @returns the open segment, which the caller closes, or the reason why it can't be believed
 */
export function openSegment(path: string, options: OpenOptions = {}): Result<OpenSegment, Refusal> {
  const euid = options.euid ?? process.geteuid?.() ?? 0;
  let fd: number;
  try {
    fd = openSync(path, OPEN_FLAGS);
  } catch (error) {
    return refused(refusalOf(error));
  }
  let keep = false;
  try {
    const result = check(path, fd, euid);
    keep = result.ok;
    return result;
  } catch (error) {
    return refused(refusalOf(error));
  } finally {
    if (!keep) closeSync(fd);
  }
}
