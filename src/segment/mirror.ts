/** Copies of regions of the file, so that only what changed since the last reading is decoded. */
import { PAGE_BYTES } from "../contract/segment.js";

/** Bytes and the same memory as 32-bit words (the segment and its readers are little-endian). */
export class WordBuffer {
  bytes: Buffer = Buffer.alloc(0);
  words: Uint32Array = new Uint32Array(0);

  /** Makes room for `bytes`, keeping what is there; new room is zero, like a page never reserved. */
  reserve(bytes: number, most = Number.POSITIVE_INFINITY): void {
    if (bytes <= this.bytes.length) return;
    const size = Math.max(bytes, Math.min(most, Math.ceil(this.bytes.length * 1.5)));
    const memory = new ArrayBuffer(Math.ceil(size / PAGE_BYTES) * PAGE_BYTES);
    const grown = Buffer.from(memory);
    this.bytes.copy(grown);
    this.bytes = grown;
    this.words = new Uint32Array(memory);
  }
}

/**
 * Calls `visit` for each piece of `piece` bytes that differs between the two, with both as words and the
 * piece as [from, to) in words; then makes `before` equal to `now` there. `visit` may correct `now`.
 */
export function visitChanges(
  now: WordBuffer,
  before: WordBuffer,
  length: number,
  piece: number,
  visit: (now: Uint32Array, before: Uint32Array, from: number, to: number) => void,
): void {
  for (let from = 0; from < length; from += piece) {
    const to = Math.min(from + piece, length);
    if (now.bytes.compare(before.bytes, from, to, from, to) === 0) continue;
    visit(now.words, before.words, from / 4, to / 4);
    now.bytes.copy(before.bytes, from, from, to);
  }
}
