/**
 * Reads a segment slice by slice: what happened to every allocer since the slice before. Whatever the
 * file says, the answer is a slice or a tagged reason, in bounded memory and time.
 */
import { ok, type Result, refused } from "../base/result.js";
import { PAGE_BYTES, SegmentState } from "../contract/segment.js";
import type { Slice } from "../contract/slice.js";
import { AllocerRecords } from "./allocer-records.js";
import { BirthTable } from "./birth-table.js";
import { EvidenceRecords } from "./evidence-records.js";
import type { GenerationPlan } from "./generations.js";
import { changedOnceField, parseCounts, type SegmentCounts } from "./header.js";
import { ModuleRecords } from "./module-records.js";
import type { OpenSegment } from "./open-segment.js";
import { residentBytesOf } from "./process.js";
import type { Refusal } from "./refusal.js";
import { type Doubts, ShardLines } from "./shard-lines.js";

export interface ReaderOptions {
  /** Resident bytes of the target, null when not known; default: /proc, by the header's pid. */
  readonly residentBytes?: () => number | null;
}

export class SegmentReader {
  readonly #segment: OpenSegment;
  readonly #residentBytes: () => number | null;
  readonly #doubts: Doubts = { approximate: 0, count: 0 };
  readonly #lines: ShardLines;
  readonly #evidence: EvidenceRecords;
  readonly #allocers: AllocerRecords;
  readonly #modules: ModuleRecords;
  readonly #page: Buffer = Buffer.alloc(PAGE_BYTES);
  #counts: SegmentCounts;
  #broken: Refusal | null = null;

  /**
   * @param plan names the birth slice of an id and of a slot; the owner moves it on between readings.
   *   Who reads a segment once, without owning it, passes a new plan: all is born in slice 0.
   */
  constructor(segment: OpenSegment, plan: GenerationPlan, options: ReaderOptions = {}) {
    this.#segment = segment;
    this.#residentBytes = options.residentBytes ?? (() => residentBytesOf(segment.header));
    this.#counts = segment.counts;
    this.#lines = new ShardLines(segment, plan, this.#doubts);
    this.#evidence = new EvidenceRecords(segment, plan, this.#doubts);
    this.#allocers = new AllocerRecords(segment);
    this.#modules = new ModuleRecords(segment);
  }

  /** A value of SegmentState, as of the last reading. */
  get state(): number {
    return this.#counts.state;
  }

  /** The agent counts no more: it ended normally, or was switched off. */
  get ended(): boolean {
    return this.#counts.state !== SegmentState.live;
  }

  /** Bits of CoverageFlag, as of the last reading. */
  get coverageFlags(): number {
    return this.#counts.coverageFlags;
  }

  /** Times that births may have been charged to a neighbouring generation. */
  get approximate(): number {
    return this.#doubts.approximate;
  }

  /** Counters found going backwards or impossibly far; they count as unchanged. */
  get damaged(): number {
    return this.#doubts.count;
  }

  /**
   * Takes the next slice.
   * @param index number of the slice; the plan must stand at it
   * @param time seconds on a steady clock since the run began
   * @returns the slice; or why there is none, which is then the answer for good
   */
  read(index: number, time: number): Result<Slice, Refusal> {
    if (this.#broken) return refused(this.#broken);
    this.#broken = this.#readCounts();
    if (this.#broken) return refused(this.#broken);
    const births = new BirthTable(this.#counts.allocersIssued);
    this.#broken = this.#readRecords(births);
    if (this.#broken) return refused(this.#broken);
    return ok({
      index,
      time,
      births: births.columns(),
      oldFrees: this.#evidence.oldFrees(),
      ages: this.#evidence.ages(),
      allocers: this.#allocers.fresh,
      modules: this.#modules.fresh,
      overruns: this.#allocers.overruns,
      losses: this.#counts.losses,
      residentBytes: this.#residentBytes(),
    });
  }

  /** Reads the header again; what was written once must not have changed, and counts only rise. */
  #readCounts(): Refusal | null {
    const failure = this.#segment.readAt(this.#page, PAGE_BYTES, 0);
    if (failure) return failure;
    const field = changedOnceField(this.#segment.page, this.#page);
    if (field !== null) return { kind: "badLayout", field };
    const counts = parseCounts(this.#page, this.#segment.header.ceilings);
    if (!counts.ok) return counts.reason;
    const { allocersIssued, modulesIssued, evidenceIssued } = this.#counts;
    this.#counts = {
      ...counts.value,
      allocersIssued: Math.max(allocersIssued, counts.value.allocersIssued),
      modulesIssued: Math.max(modulesIssued, counts.value.modulesIssued),
      evidenceIssued: Math.max(evidenceIssued, counts.value.evidenceIssued),
    };
    return null;
  }

  /** Evidence last: a free of an older block is then never read before its birth. */
  #readRecords(births: BirthTable): Refusal | null {
    const { allocersIssued, modulesIssued, evidenceIssued } = this.#counts;
    return (
      this.#modules.read(modulesIssued) ??
      this.#allocers.read(allocersIssued, modulesIssued) ??
      this.#lines.read(allocersIssued, births) ??
      this.#evidence.read(evidenceIssued, allocersIssued)
    );
  }
}
