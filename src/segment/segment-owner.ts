/**
 * Owns a segment: the one host that takes its slices and opens its generations. Order of a slice:
 * read, record, advance; who reads only uses SegmentReader.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { ok, type Result, refused } from "../base/result.js";
import {
  CONTROL,
  CONTROL_OFFSET,
  controlWord,
  SLICE_OF_GEN_OFFSET,
  SLOT_OF_GEN_OFFSET,
} from "../contract/segment.js";
import type { Slice } from "../contract/slice.js";
import { GenerationPlan, type GenerationStep } from "./generations.js";
import { control as at } from "./layout.js";
import { type Owned, releaseLock, renewLock, takeLock } from "./lock-file.js";
import type { OpenSegment } from "./open-segment.js";
import { type ProcessIdentity, selfIdentity } from "./process.js";
import { type Refusal, refusalOf } from "./refusal.js";
import { type ReaderOptions, SegmentReader } from "./segment-reader.js";

export interface OwnerOptions extends ReaderOptions {
  /** Who takes the lease; default: this process. */
  readonly self?: ProcessIdentity;
  /** Decides whether the owner named in an old lease is dead; default: isDead. */
  readonly dead?: (owner: ProcessIdentity) => boolean;
  /** Writes to the segment; default: pwrite. */
  readonly write?: (fd: number, bytes: Buffer, position: number) => void;
}

/** A full write or an exception. */
function writeAll(fd: number, bytes: Buffer, position: number): void {
  const written = writeSync(fd, bytes, 0, bytes.length, position);
  if (written !== bytes.length)
    throw Object.assign(new Error("short write"), { code: "ENOSPC" as const });
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};

/** Generation id and watch epoch of a control word; of one that damages itself, those of a fresh segment. */
function parseControlWord(word: bigint): { id: number; watchEpoch: number } {
  const low = Number(word & 0xffff_ffffn);
  const [id, watchEpoch] = [low & 0xfff, low >>> 12];
  return word === controlWord(id, watchEpoch) ? { id, watchEpoch } : { id: 0, watchEpoch: 0 };
}

/** Opens the file behind an OpenSegment once more, for writing; refuses another file of that name. */
function openForWriting(segment: OpenSegment): Result<number, Refusal> {
  let fd: number | null = null;
  try {
    fd = openSync(segment.path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { dev, ino } = fstatSync(fd);
    if (dev === segment.file.dev && ino === segment.file.ino) return ok(fd);
    closeSync(fd);
    return refused({ kind: "gone" });
  } catch (error) {
    if (fd !== null) closeSync(fd);
    return refused(refusalOf(error));
  }
}

/**
 * Becomes the owner of a segment: takes the lease and maps all earlier generations to "before slice 1".
 * @returns the owner, which the caller closes; or who owns it, or why it can't be written
 */
export function claimSegment(
  segment: OpenSegment,
  options: OwnerOptions = {},
): Result<SegmentOwner, Owned | Refusal> {
  const self = options.self ?? selfIdentity();
  if (!self) return refused({ kind: "io", code: "no usable /proc" });
  const locked = takeLock(segment.path, self, options.dead);
  if (!locked.ok) return locked;
  const file = openForWriting(segment);
  if (!file.ok) {
    releaseLock(segment.path, self);
    return file;
  }
  try {
    return ok(new SegmentOwner(segment, file.value, self, options));
  } catch (error) {
    closeSync(file.value);
    releaseLock(segment.path, self);
    return refused(refusalOf(error));
  }
}

export class SegmentOwner {
  readonly segment: OpenSegment;
  readonly reader: SegmentReader;
  readonly plan: GenerationPlan;
  readonly #fd: number;
  readonly #self: ProcessIdentity;
  readonly #write: (fd: number, bytes: Buffer, position: number) => void;
  readonly #watchEpoch: number;
  #slices = 0;
  #stalled = 0;
  #open = true;

  /** Use claimSegment. Throws what a system call throws. */
  constructor(segment: OpenSegment, fd: number, self: ProcessIdentity, options: OwnerOptions) {
    this.segment = segment;
    this.#fd = fd;
    this.#self = self;
    this.#write = options.write ?? writeAll;
    const word = Buffer.alloc(8);
    readSync(fd, word, 0, 8, CONTROL_OFFSET + at("word"));
    const { id, watchEpoch } = parseControlWord(word.readBigUInt64LE());
    this.#watchEpoch = watchEpoch;
    this.plan = new GenerationPlan(Math.max(id, segment.header.inheritedGen));
    this.#writeLease();
    // Before the first reading, so that what is counted from then on follows our map.
    this.#write(fd, Buffer.from(this.plan.slotOfGen), SLOT_OF_GEN_OFFSET);
    this.#write(fd, Buffer.alloc(4 * this.plan.slotOfGen.length), SLICE_OF_GEN_OFFSET);
    this.reader = new SegmentReader(segment, this.plan, options);
  }

  /** Slices taken; the number of the next one. */
  get slices(): number {
    return this.#slices;
  }

  /** Slices after which no new generation could be opened because the segment could not be written. */
  get stalled(): number {
    return this.#stalled;
  }

  /**
   * Takes the next slice, hands it to `record`, and only then opens the next generation. When the
   * segment can't be written the generation stays what it is: births of two slices then count as one.
   * @param time seconds on a steady clock since the run began
   */
  takeSlice(time: number, record: (slice: Slice) => void): Result<Slice, Owned | Refusal> {
    if (!this.#open) return refused({ kind: "gone" });
    if (!renewLock(this.segment.path, this.#self)) return refused({ kind: "owned", pid: null });
    const slice = this.reader.read(this.#slices, time);
    if (!slice.ok) return slice;
    record(slice.value);
    this.#slices++;
    this.#advance();
    return slice;
  }

  /** Gives the lease back and closes the file; again is harmless. Leaves the OpenSegment open. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      if (renewLock(this.segment.path, this.#self))
        this.#write(this.#fd, u32(0), CONTROL_OFFSET + at("leasePid"));
    } catch {
      // The lock file is what counts.
    }
    closeSync(this.#fd);
    releaseLock(this.segment.path, this.#self);
  }

  #advance(): void {
    const step = this.plan.prepare(this.#slices);
    try {
      this.#writeMaps(step);
      if (step.opens) {
        const word = controlWord(step.id, this.#watchEpoch);
        this.#write(this.#fd, u64(word), CONTROL_OFFSET + at("word"));
      }
      this.plan.commit(step);
    } catch {
      this.#stalled++;
    }
    this.#beat();
  }

  /** Both maps before the control word: no thread may count by an id that has no slot. */
  #writeMaps(step: GenerationStep): void {
    if (step.slotOfGen) this.#write(this.#fd, Buffer.from(step.slotOfGen), SLOT_OF_GEN_OFFSET);
    if (!step.opens) return;
    if (!step.slotOfGen) this.#write(this.#fd, Buffer.of(step.slot), SLOT_OF_GEN_OFFSET + step.id);
    this.#write(this.#fd, u32(step.birthSlice), SLICE_OF_GEN_OFFSET + 4 * step.id);
  }

  #writeLease(): void {
    const from = at("leasePid");
    const lease = Buffer.alloc(CONTROL.size);
    lease.writeUInt32LE(this.#self.pid, at("leasePid"));
    lease.writeUInt32LE(1, at("leaseEverHeld"));
    lease.writeBigUInt64LE(BigInt(this.#self.startTime), at("leaseStartTime"));
    lease.writeBigUInt64LE(BigInt(this.#self.pidNamespace), at("leasePidNamespace"));
    const to = at("leaseHeartbeat") + 8;
    this.#write(this.#fd, lease.subarray(from, to), CONTROL_OFFSET + from);
  }

  #beat(): void {
    try {
      this.#write(this.#fd, u64(BigInt(this.#slices)), CONTROL_OFFSET + at("leaseHeartbeat"));
    } catch {
      // Shown to others only; the lock file is what counts.
    }
  }
}
