/** The header page: what it must look like to be believed (docs/formats/segment.md), and what it says. */
import { ok, type Result, refused } from "../base/result.js";
import { EXCLUSIVE_SHARDS, LAYOUT_VERSION, MAX_MODULES, SHARDS } from "../contract/limits.js";
import {
  type Ceilings,
  CONTROL_OFFSET,
  HEADER,
  LOSSES,
  type LossName,
  MODULES_OFFSET,
  PAGE_BYTES,
  regionOffsets,
  SEGMENT_MAGIC,
  SegmentArch,
  SegmentState,
  SHARDS_OFFSET,
  SLICE_OF_GEN_OFFSET,
  SLOT_OF_GEN_OFFSET,
} from "../contract/segment.js";
import { header as at, readText, readU64 } from "./layout.js";
import type { Refusal } from "./refusal.js";

/** Allocer ids fit the 24 bits of a tag. */
const MOST_ALLOCERS = 2 ** 24;
/** Records a host reads of a kind: three times the default ceiling; more only a forged header claims. */
const MOST_ISSUED = 65_536;

/** What does not change while the segment lives. */
export interface SegmentHeader {
  /** Process id as the target sees itself. */
  readonly pid: number;
  /** Clock ticks after boot, /proc/PID/stat field 22. */
  readonly startTime: number;
  /** Inode of the target's pid namespace. */
  readonly pidNamespace: number;
  readonly uid: number;
  readonly runId: string;
  readonly bootId: string;
  readonly exe: string;
  /** Path of the library that provides malloc. */
  readonly allocator: string;
  /** A value of AllocatorKind. */
  readonly allocatorKind: number;
  readonly agentVersion: string;
  /** Generation ids up to this one are inherited by fork. */
  readonly inheritedGen: number;
  readonly ceilings: Ceilings;
}

/** What changes: counts of records, losses, state. Read before the records that they announce. */
export interface SegmentCounts {
  /** A value of SegmentState. */
  readonly state: number;
  readonly allocersIssued: number;
  readonly modulesIssued: number;
  readonly evidenceIssued: number;
  /** Bits of CoverageFlag. */
  readonly coverageFlags: number;
  readonly losses: Readonly<Record<LossName, number>>;
}

const bad = (field: string) => refused<Refusal>({ kind: "badLayout", field });

/** Is this a segment of our layout that is ready? Null when it is. */
function refuseKind(page: Buffer): Refusal | null {
  const magic = page.readBigUInt64LE(at("magic"));
  if (magic === 0n) return { kind: "notReady" };
  if (magic !== SEGMENT_MAGIC)
    return { kind: "notASegment", why: "its first bytes are not a segment's" };
  const agentLayout = page.readUInt32LE(at("layoutVersion"));
  if (agentLayout !== LAYOUT_VERSION) {
    const agentVersion = readText(page, at("agentVersion"), 16);
    return { kind: "wrongVersion", agentLayout, hostLayout: LAYOUT_VERSION, agentVersion };
  }
  if (page.readUInt32LE(at("headerBytes")) !== HEADER.size)
    return { kind: "badLayout", field: "headerBytes" };
  const state = page.readUInt32LE(at("state"));
  if (state === SegmentState.making) return { kind: "notReady" };
  return state > SegmentState.off ? { kind: "badLayout", field: "state" } : null;
}

/** Name of the first ceiling that is out of bounds. */
function badCeiling(page: Buffer): string | null {
  const u32 = (name: string) => page.readUInt32LE(at(name));
  const allocers = u32("maxAllocers");
  if (allocers === 0 || allocers % 64 !== 0 || allocers > MOST_ALLOCERS) return "maxAllocers";
  if (u32("shardCount") === 0 || u32("shardCount") > SHARDS) return "shardCount";
  if (u32("exclusiveShards") > Math.min(EXCLUSIVE_SHARDS, u32("shardCount")))
    return "exclusiveShards";
  if (u32("maxModules") % 8 !== 0 || u32("maxModules") > MAX_MODULES) return "maxModules";
  if (u32("pageBytes") !== PAGE_BYTES) return "pageBytes";
  const arch = u32("arch");
  return arch === SegmentArch.x86_64 || arch === SegmentArch.aarch64 ? null : "arch";
}

/** Name of the first offset that does not follow from the ceilings. */
function badOffset(page: Buffer, ceilings: Ceilings, fileBytes: number): string | null {
  const regions = regionOffsets(ceilings);
  const expected: Readonly<Record<string, number>> = {
    controlOffset: CONTROL_OFFSET,
    slotOfGenOffset: SLOT_OF_GEN_OFFSET,
    sliceOfGenOffset: SLICE_OF_GEN_OFFSET,
    shardsOffset: SHARDS_OFFSET,
    modulesOffset: MODULES_OFFSET,
    allocersOffset: regions.allocers,
    evidenceOffset: regions.evidence,
    linesOffset: regions.lines,
    shardStride: regions.shardStride,
    fileBytes: regions.fileBytes,
  };
  for (const [name, value] of Object.entries(expected))
    if (readU64(page, at(name)) !== value) return name;
  return fileBytes < regions.fileBytes ? "fileBytes" : null;
}

/**
 * Checks a header page and reads what never changes.
 * @param page the first PAGE_BYTES of the file
 * @param fileBytes size of the file
 */
export function parseHeader(page: Buffer, fileBytes: number): Result<SegmentHeader, Refusal> {
  const kind = refuseKind(page);
  if (kind) return refused(kind);
  const ceiling = badCeiling(page);
  if (ceiling) return bad(ceiling);
  const u32 = (name: string) => page.readUInt32LE(at(name));
  const ceilings: Ceilings = {
    maxAllocers: u32("maxAllocers"),
    maxModules: u32("maxModules"),
    shardCount: u32("shardCount"),
  };
  const offset = badOffset(page, ceilings, fileBytes);
  if (offset) return bad(offset);
  if (u32("pid") === 0) return bad("pid");
  const startTime = readU64(page, at("startTime"));
  const pidNamespace = readU64(page, at("pidNamespace"));
  if (!Number.isSafeInteger(startTime)) return bad("startTime");
  if (!Number.isSafeInteger(pidNamespace)) return bad("pidNamespace");
  return ok({
    pid: u32("pid"),
    startTime,
    pidNamespace,
    uid: u32("uid"),
    runId: readText(page, at("runId"), 32),
    bootId: readText(page, at("bootId"), 40),
    exe: readText(page, at("exe"), 1024),
    allocator: readText(page, at("allocator"), 512),
    allocatorKind: u32("allocatorKind"),
    agentVersion: readText(page, at("agentVersion"), 16),
    inheritedGen: u32("inheritedGen") & 0xfff,
    ceilings,
  });
}

/** Reads what changes, and checks it against the ceilings. */
export function parseCounts(page: Buffer, ceilings: Ceilings): Result<SegmentCounts, Refusal> {
  const u32 = (name: string) => page.readUInt32LE(at(name));
  const allocersIssued = u32("allocersIssued");
  const modulesIssued = u32("modulesIssued");
  const evidenceIssued = u32("evidenceIssued");
  const most = Math.min(ceilings.maxAllocers, MOST_ISSUED);
  if (allocersIssued > most) return bad("allocersIssued");
  if (modulesIssued > ceilings.maxModules) return bad("modulesIssued");
  if (evidenceIssued > most) return bad("evidenceIssued");
  const state = u32("state");
  if (state === SegmentState.making || state > SegmentState.off) return bad("state");
  const losses = {} as Record<LossName, number>;
  LOSSES.forEach(({ name }, index) => {
    losses[name] = readU64(page, at("losses") + 8 * index);
  });
  const coverageFlags = u32("coverageFlags");
  return ok({ state, allocersIssued, modulesIssued, evidenceIssued, coverageFlags, losses });
}

/** Name of the first field written once, before the segment was ready, that differs between two pages. */
export function changedOnceField(before: Buffer, now: Buffer): string | null {
  for (const field of HEADER.fields) {
    if (field.order !== "once" || field.offset >= at("exe")) continue;
    const end = field.offset + (field.type === "u64" ? 8 : field.type === "char" ? field.count : 4);
    if (before.compare(now, field.offset, end, field.offset, end) !== 0) return field.name;
  }
  return null;
}
