/**
 * The segment of one target: waits for it to appear, owns it, follows the target through exec, and
 * removes it at the end.
 */
import type { Slice } from "../contract/slice.js";
import {
  claimSegment,
  describeRefusal,
  findSegments,
  isDead,
  type OpenSegment,
  type Owned,
  openSegment,
  type Refusal,
  removeSegment,
  type SegmentFile,
  type SegmentHeader,
  type SegmentOwner,
  startTimeOf,
} from "../segment/index.js";

/** What a look for the segment brings. */
export type Attachment =
  /** Nothing new: no segment yet, or the one that is attached. */
  | "unchanged"
  /** A segment to count from slice 0 on: the first, or that of the program that replaced the last one. */
  | "fresh";

/** Why a segment can't be read, as a sentence's end, and its path. */
export interface SegmentProblem {
  readonly path: string;
  readonly why: string;
}

function isDeadSegment(path: string): boolean {
  const segment = openSegment(path);
  if (!segment.ok) return false;
  segment.value.close();
  return isDead(segment.value.header);
}

export class TargetSegment {
  readonly #directory: string;
  readonly #runId: string;
  readonly #pid: number;
  /** null when /proc doesn't say. */
  readonly #startTime: number | null;
  #attached: { readonly file: SegmentFile; segment: OpenSegment; owner: SegmentOwner } | null =
    null;
  #problem: SegmentProblem | null = null;
  #replaced = 0;

  /** @param runId that of the run; a segment of another run is not looked at */
  constructor(target: {
    readonly pid: number;
    readonly runId: string;
    readonly segmentDirectory: string;
  }) {
    this.#directory = target.segmentDirectory;
    this.#runId = target.runId;
    this.#pid = target.pid;
    this.#startTime = startTimeOf(target.pid);
  }

  get header(): SegmentHeader | null {
    return this.#attached?.segment.header ?? null;
  }

  /** The last reason why a segment could not be read; null when none was met. */
  get problem(): SegmentProblem | null {
    return this.#problem;
  }

  /** How often the target replaced its program by another (exec). */
  get replaced(): number {
    return this.#replaced;
  }

  get owner(): SegmentOwner | null {
    return this.#attached?.owner ?? null;
  }

  /** Looks for the segment of the program that runs now. */
  look(): Attachment {
    const file = this.#newest();
    return file !== null && this.#attach(file) ? "fresh" : "unchanged";
  }

  /** Takes a slice; null when there is no segment, or it can't be read any more (see `problem`). */
  take(time: number, record: (slice: Slice) => void): Slice | null {
    const attached = this.#attached;
    if (attached === null) return null;
    const slice = attached.owner.takeSlice(time, record);
    if (slice.ok) return slice.value;
    this.#problem = problemOf(attached.file.path, slice.reason);
    return null;
  }

  /**
   * Removes the segments that ended children of the run left behind: nobody reads them, and a build
   * makes thousands.
   */
  tidy(): void {
    const files = findSegments(this.#directory, this.#runId);
    if (!files.ok) return;
    for (const { path, pid } of files.value) {
      if (pid !== this.#pid && isDeadSegment(path)) removeSegment(path);
    }
  }

  /** Gives the lease back and removes all segments of the run, our own even if it is damaged. */
  end(): void {
    const own = this.#attached?.file.path;
    this.#release();
    if (own !== undefined) removeSegment(own);
    const files = this.#directory === "" ? null : findSegments(this.#directory, this.#runId);
    if (files?.ok) for (const file of files.value) removeSegment(file.path);
  }

  /** The newest image of the target that is not attached. */
  #newest(): SegmentFile | null {
    const files = findSegments(this.#directory);
    if (!files.ok) return null;
    const attached = this.#attached?.file.image ?? -1;
    return (
      files.value.findLast(
        ({ pid, startTime, image }) =>
          pid === this.#pid &&
          image > attached &&
          (this.#startTime === null || startTime === this.#startTime),
      ) ?? null
    );
  }

  /** True when it is attached; what is not ready yet is met again at the next look. */
  #attach(file: SegmentFile): boolean {
    const segment = openSegment(file.path);
    if (!segment.ok) {
      const { kind } = segment.reason;
      if (kind !== "notReady" && kind !== "gone")
        this.#problem = problemOf(file.path, segment.reason);
      return false;
    }
    const owner = segment.value.header.runId === this.#runId ? claimSegment(segment.value) : null;
    if (owner === null || !owner.ok) {
      segment.value.close();
      if (owner !== null) this.#problem = problemOf(file.path, owner.reason);
      return false;
    }
    if (this.#attached !== null) {
      const { path } = this.#attached.file;
      this.#release();
      removeSegment(path);
      this.#replaced++;
    }
    this.#attached = { file, segment: segment.value, owner: owner.value };
    this.#problem = null;
    return true;
  }

  #release(): void {
    this.#attached?.owner.close();
    this.#attached?.segment.close();
    this.#attached = null;
  }
}

function problemOf(path: string, reason: Refusal | Owned): SegmentProblem {
  if (reason.kind !== "owned") return { path, why: describeRefusal(reason) };
  const who = reason.pid === null ? "another edleak" : `edleak with pid ${reason.pid}`;
  return { path, why: `${who} watches it already` };
}
