/**
 * Bounded reads from a regular file: every offset and length is checked against the file's size.
 *
 * The path may come from a hostile target, so nothing but a regular file is opened, an open never
 * waits (FIFO), and no call throws: what cannot be read is a tagged reason.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { ok, type Result, refused } from "../base/result.js";

/** Why a file could not be used. `what` names the part in a word or two. */
export type ElfRefusal =
  | { readonly tag: "unreadable"; readonly code: string }
  | { readonly tag: "not-a-file" }
  | { readonly tag: "not-elf" }
  /** An ELF file of another class, byte order or machine; `description` as in "32-bit ARM". */
  | { readonly tag: "foreign"; readonly description: string }
  | { readonly tag: "damaged"; readonly what: string }
  | { readonly tag: "too-large"; readonly what: string };

/** Largest piece that is read at once; a bigger one is refused. */
const PIECE_LIMIT_BYTES = 256 * 1024 * 1024;

const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** An open regular file. Its owner calls `close` once. */
export class ByteSource {
  readonly path: string;
  readonly fd: number;
  readonly size: number;
  /** Owner of the file. */
  readonly uid: number;
  readonly #opened: Stats;

  private constructor(path: string, fd: number, opened: Stats) {
    this.path = path;
    this.fd = fd;
    this.size = opened.size;
    this.uid = opened.uid;
    this.#opened = opened;
  }

  /**
   * Opens `path`; refuses what is not a regular file.
   * @param link "follow" (default), or "refuse" when the last part is a symbolic link
   */
  static open(path: string, link: "follow" | "refuse" = "follow"): Result<ByteSource, ElfRefusal> {
    let fd = -1;
    try {
      // Looked at first: opening is an act for some devices, and a segment may name one.
      if (!statSync(path).isFile()) return refused({ tag: "not-a-file" });
      fd = openSync(path, OPEN_FLAGS | (link === "refuse" ? constants.O_NOFOLLOW : 0));
      const stats = fstatSync(fd);
      if (stats.isFile()) return ok(new ByteSource(path, fd, stats));
      closeSync(fd);
      return refused({ tag: "not-a-file" });
    } catch (error) {
      if (fd >= 0) closeSync(fd);
      return refused({ tag: "unreadable", code: errnoOf(error) });
    }
  }

  /** Reads exactly `size` bytes at `offset`, or says why not. */
  read(offset: number, size: number, what: string): Result<Buffer, ElfRefusal> {
    if (!(offset >= 0 && size >= 0 && offset + size <= this.size)) {
      return refused({ tag: "damaged", what });
    }
    if (size > PIECE_LIMIT_BYTES) return refused({ tag: "too-large", what });
    const bytes = Buffer.allocUnsafe(size);
    try {
      let done = 0;
      while (done < size) {
        const got = readSync(this.fd, bytes, done, size - done, offset + done);
        if (got === 0) return refused({ tag: "damaged", what });
        done += got;
      }
    } catch (error) {
      return refused({ tag: "unreadable", code: errnoOf(error) });
    }
    return ok(bytes);
  }

  /** Reads up to `size` bytes at `offset`; fewer at the end of the file. */
  readUpTo(offset: number, size: number, what: string): Result<Buffer, ElfRefusal> {
    return this.read(offset, Math.min(size, Math.max(0, this.size - offset)), what);
  }

  /** Names the file and its content: two sources with one identity have the same bytes. */
  get identity(): string {
    const { dev, ino, size, mtimeMs } = this.#opened;
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  }

  /** True while the open file has the content it was opened with (by size and time of change). */
  isIntact(): boolean {
    try {
      return sameContent(fstatSync(this.fd), this.#opened);
    } catch {
      return false;
    }
  }

  /**
   * A path under which another program of this user finds this very file: the first of `preferred`
   * and the path it was opened by that still leads to it, else the descriptor's.
   */
  pathForOthers(preferred: readonly string[]): string {
    for (const path of [...preferred, this.path]) {
      try {
        if (sameContent(statSync(path), this.#opened)) return path;
      } catch {
        // Not there, or no longer: the next one, at last the descriptor.
      }
    }
    return this.descriptorPath();
  }

  /** The path of the open descriptor; valid until `close`. */
  descriptorPath(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  close(): void {
    closeSync(this.fd);
  }
}

function sameContent(a: Stats, b: Stats): boolean {
  return a.dev === b.dev && a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs;
}

/** The errno name of a failed system call, "EIO" when there is none. */
function errnoOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === "string" ? code : "EIO";
}
