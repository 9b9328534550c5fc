/**
 * The layout of a segment: the one definition that agent (`agent/gen/abi.h`), host and
 * `docs/formats/segment.md` share. `npm run gen` writes both; the gate fails when they are stale.
 *
 * All integers are little-endian. Offsets are bytes from the start of the structure.
 *
 * budget: one table that agent, host and document share, best read in one piece
 */
import {
  AGE_BUCKETS,
  BIRTH_SLOTS,
  GENERATION_IDS,
  KEY_DEPTH,
  MAX_ALLOCERS,
  MAX_MODULES,
  SHARDS,
} from "./limits.js";

/** Who writes a field. The other side only reads it, and believes nothing it reads. */
export type Writer = "agent" | "host";

/**
 * How a field is published. `once`: before the header's `state` says live. `release`: stored after
 * what it announces, loaded with acquire. `relaxed`: monotone counter, each aligned word consistent
 * by itself. `add`: changed by a single add instruction, by the shard's owner alone.
 */
export type Order = "once" | "release" | "relaxed" | "add";

export type FieldType = "u8" | "u16" | "u32" | "u64" | "char";

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly offset: number;
  /** Number of elements; 1 is a scalar. */
  readonly count: number;
  readonly writer: Writer;
  readonly order: Order;
  readonly doc: string;
}

export interface Struct {
  readonly name: string;
  readonly size: number;
  readonly doc: string;
  readonly fields: readonly Field[];
}

/** "EDLKSEG1" read as a little-endian u64. */
export const SEGMENT_MAGIC = 0x3147_4553_4b4c_4445n;

export const PAGE_BYTES = 4096;

/** Values of `header.state`. */
export const SegmentState = { making: 0, live: 1, ended: 2, off: 3 } as const;

/** Values of `header.arch`. */
export const SegmentArch = { x86_64: 1, aarch64: 2 } as const;

/** Values of `header.allocatorKind`: how the agent learns a block's usable size. */
export const AllocatorKind = { unknown: 0, glibcInline: 1, usableSize: 2 } as const;

/** Bits of `header.coverageFlags`: what the agent knows that it does not see. */
export const CoverageFlag = {
  /** The kernel can't populate pages on demand: the segment has a fixed size. */
  fixedSize: 1,
  /** Limits (address space, file size, free shared memory) made the ceilings smaller. */
  reduced: 2,
  /** The C library's own `__libc_malloc` belongs to another allocator than malloc: it is not tracked. */
  foreignLibcMalloc: 4,
  /** The agent was frozen (seccomp): no new allocers, no new shards. */
  frozen: 8,
} as const;

/** Values of `shard.kind`. */
export const ShardKind = { unused: 0, exclusive: 1, shared: 2 } as const;

/** Bits of `module.flags`. */
export const ModuleFlag = { agent: 1, executable: 2, vdso: 4, pathTruncated: 8 } as const;

/**
 * Reasons for which an event was not counted where it belongs, in the order of `header.losses`.
 * `harmless` ones are shown but do not make a verdict impossible.
 */
export const LOSSES = [
  {
    name: "unattributed",
    harmless: false,
    doc: "allocations counted on allocer 0: no allocer could be issued for their caller",
  },
  {
    name: "bigTableFull",
    harmless: false,
    doc: "big blocks not tracked: the table of big blocks was full",
  },
  {
    name: "unknownFrees",
    harmless: true,
    doc: "frees of blocks without a valid tag: allocated before the agent, or their tag was overwritten",
  },
  {
    name: "misdatedFrees",
    harmless: true,
    doc: "frees counted as if the block were new: no evidence record could be made",
  },
  {
    name: "untagged",
    harmless: false,
    doc: "blocks not tracked: no room for a tag in them",
  },
  {
    name: "bootstrap",
    harmless: true,
    doc: "blocks from before the allocator was ready: served by the agent, or without a size yet",
  },
  {
    name: "noShard",
    harmless: false,
    doc: "events not counted: the thread could get no counter shard",
  },
  {
    name: "modulesFull",
    harmless: true,
    doc: "modules not recorded: their table was full",
  },
  {
    name: "offEvents",
    harmless: false,
    doc: "events not counted: counting had been switched off",
  },
] as const;

export type LossName = (typeof LOSSES)[number]["name"];

/** Room for loss counters in the header, so that a reason can be added without moving a field. */
export const LOSS_SLOTS = 16;

type Spec = readonly [
  name: string,
  type: FieldType,
  count: number,
  writer: Writer,
  order: Order,
  doc: string,
];

const WIDTH: Record<FieldType, number> = { u8: 1, char: 1, u16: 2, u32: 4, u64: 8 };

/** Bytes of one element of a field. */
export const fieldWidth = (type: FieldType): number => WIDTH[type];

/** Lays fields out in order, without gaps; a field that would be misaligned is a bug in this file. */
function struct(name: string, size: number, doc: string, specs: readonly Spec[]): Struct {
  let offset = 0;
  const fields = specs.map(([fieldName, type, count, writer, order, fieldDoc]): Field => {
    if (offset % WIDTH[type] !== 0) throw new Error(`${name}.${fieldName} is misaligned`);
    const field = { name: fieldName, type, offset, count, writer, order, doc: fieldDoc };
    offset += WIDTH[type] * count;
    return field;
  });
  if (offset > size) throw new Error(`${name} needs ${offset} bytes, has ${size}`);
  return { name, size, doc, fields };
}

export const HEADER: Struct = struct("header", PAGE_BYTES, "Identity, sizes and losses.", [
  ["magic", "u64", 1, "agent", "once", "SEGMENT_MAGIC"],
  ["layoutVersion", "u32", 1, "agent", "once", "LAYOUT_VERSION"],
  ["headerBytes", "u32", 1, "agent", "once", "size of this structure"],
  ["agentVersion", "char", 16, "agent", "once", "version of the agent, NUL-terminated"],
  ["fileBytes", "u64", 1, "agent", "once", "size of the file (sparse)"],
  ["pageBytes", "u32", 1, "agent", "once", "granularity of the regions, PAGE_BYTES"],
  ["arch", "u32", 1, "agent", "once", "1 x86-64, 2 aarch64"],
  ["state", "u32", 1, "agent", "release", "0 being made, 1 live, 2 ended normally, 3 switched off"],
  ["pid", "u32", 1, "agent", "once", "process id as seen inside its namespace"],
  ["startTime", "u64", 1, "agent", "once", "clock ticks after boot (/proc/PID/stat field 22)"],
  ["pidNamespace", "u64", 1, "agent", "once", "inode of the pid namespace"],
  ["uid", "u32", 1, "agent", "once", "effective user id at start"],
  [
    "inheritedGen",
    "u32",
    1,
    "agent",
    "once",
    "generation ids up to this one are inherited by fork",
  ],
  ["runId", "char", 32, "agent", "once", "EDLEAK_RUN of the environment, or empty"],
  ["bootId", "char", 40, "agent", "once", "kernel's boot id, NUL-terminated"],
  ["maxAllocers", "u32", 1, "agent", "once", "ceiling of allocer ids, a multiple of 64"],
  ["shardCount", "u32", 1, "agent", "once", "counter shards"],
  ["exclusiveShards", "u32", 1, "agent", "once", "shards 0 .. n-1 have one writing thread each"],
  ["maxModules", "u32", 1, "agent", "once", "ceiling of module records"],
  ["controlOffset", "u64", 1, "agent", "once", "file offset of the control structure"],
  ["slotOfGenOffset", "u64", 1, "agent", "once", "file offset of u8 slotOfGen[4096], host-written"],
  [
    "sliceOfGenOffset",
    "u64",
    1,
    "agent",
    "once",
    "file offset of u32 sliceOfGen[4096], host-written",
  ],
  ["shardsOffset", "u64", 1, "agent", "once", "file offset of the shard headers"],
  ["modulesOffset", "u64", 1, "agent", "once", "file offset of the module records"],
  ["allocersOffset", "u64", 1, "agent", "once", "file offset of the allocer records"],
  ["evidenceOffset", "u64", 1, "agent", "once", "file offset of the evidence records"],
  ["linesOffset", "u64", 1, "agent", "once", "file offset of the counter lines"],
  ["shardStride", "u64", 1, "agent", "once", "bytes of counter lines per shard: 64 x maxAllocers"],
  ["allocersIssued", "u32", 1, "agent", "release", "allocer ids in use; id 0 is 'unattributed'"],
  ["modulesIssued", "u32", 1, "agent", "release", "module records written"],
  ["evidenceIssued", "u32", 1, "agent", "release", "evidence records given out"],
  ["allocatorKind", "u32", 1, "agent", "once", "1 glibc read in line, 2 malloc_usable_size"],
  ["coverageFlags", "u32", 1, "agent", "relaxed", "bits of CoverageFlag"],
  ["moduleEpoch", "u32", 1, "agent", "release", "changes of the module list noticed so far"],
  ["losses", "u64", LOSS_SLOTS, "agent", "relaxed", "events lost, by reason: see LOSSES"],
  ["exe", "char", 1024, "agent", "once", "path of the executable, NUL-terminated"],
  ["allocator", "char", 512, "agent", "once", "path of the library that provides malloc"],
]);

export const CONTROL: Struct = struct(
  "control",
  PAGE_BYTES,
  "What the host tells the agent. Control word: bits 0-11 generation id, bits 12-31 watch epoch, bits 32-63 the complement of bits 0-31; a word whose halves disagree is ignored. Written by one aligned 8-byte pwrite.",
  [
    ["word", "u64", 1, "host", "release", "current generation id and watch epoch, self-checking"],
    ["reserved", "u64", 7, "host", "relaxed", "zero"],
    ["leasePid", "u32", 1, "host", "release", "pid of the owner host, 0 when nobody owns it"],
    ["leaseEverHeld", "u32", 1, "host", "release", "1 once a host has owned this segment"],
    ["leaseStartTime", "u64", 1, "host", "relaxed", "start time of the owner, as header.startTime"],
    ["leasePidNamespace", "u64", 1, "host", "relaxed", "pid namespace of the owner"],
    ["leaseHeartbeat", "u64", 1, "host", "relaxed", "slices taken by the owner"],
  ],
);

export const SHARD: Struct = struct(
  "shard",
  64,
  "One counter shard: who writes it, which generations its phases hold.",
  [
    [
      "latch",
      "u64",
      1,
      "agent",
      "release",
      "bits 0-11 generation of phase 0, bits 12-23 generation of phase 1, bits 24-63 latch count; phase in use = latch count & 1",
    ],
    ["tid", "u32", 1, "agent", "relaxed", "owning thread, 0 when free or shared"],
    ["kind", "u32", 1, "agent", "release", "0 never used, 1 exclusive, 2 shared"],
  ],
);

export const LINE: Struct = struct(
  "line",
  64,
  "Counters of one (shard, allocer): two phases, monotone. Phase p holds events of the generation that the shard's latch names for p.",
  [0, 1].flatMap((phase): Spec[] => [
    [`allocs${phase}`, "u64", 1, "agent", "add", `phase ${phase}: blocks allocated`],
    [`bytes${phase}`, "u64", 1, "agent", "add", `phase ${phase}: bytes asked for by them`],
    [
      `frees${phase}`,
      "u64",
      1,
      "agent",
      "add",
      `phase ${phase}: blocks of that same generation freed`,
    ],
    [`freedBytes${phase}`, "u64", 1, "agent", "add", `phase ${phase}: their bytes`],
  ]),
);

export const ALLOCER: Struct = struct("allocer", 64, "What an allocer is.", [
  [
    "key",
    "u64",
    KEY_DEPTH,
    "agent",
    "release",
    "return addresses, innermost first, 0 beyond the depth",
  ],
  ["parent", "u32", 1, "agent", "release", "allocer this one is a branch of, 0 for none"],
  ["module", "u32", 1, "agent", "release", "1 + index of the module of key[0], 0 when not known"],
  ["depth", "u8", 1, "agent", "release", "return addresses in the key"],
  ["flags", "u8", 3, "agent", "release", "reserved, zero"],
  [
    "overruns",
    "u32",
    1,
    "agent",
    "relaxed",
    "blocks freed whose first byte past the end was overwritten",
  ],
  ["watch", "u32", 1, "host", "relaxed", "depth of the stack watch, 0 off, at most 64"],
  [
    "evidence",
    "u32",
    1,
    "agent",
    "release",
    "1 + index of its evidence record, 0 when it has none",
  ],
]);

export const EVIDENCE: Struct = struct(
  "evidence",
  1024,
  "Frees of blocks that are older than the generation in which they are freed, of one allocer; all threads add to it atomically.",
  [
    ["freedBlocks", "u32", BIRTH_SLOTS, "agent", "relaxed", "blocks freed, by birth slot"],
    ["freedBytes", "u64", BIRTH_SLOTS, "agent", "relaxed", "their bytes, by birth slot"],
    [
      "ageFrees",
      "u32",
      AGE_BUCKETS,
      "agent",
      "relaxed",
      "blocks freed, by age in slices (log2 buckets)",
    ],
    ["oldFrees", "u64", 1, "agent", "relaxed", "all of them"],
    ["oldFreedBytes", "u64", 1, "agent", "relaxed", "their bytes"],
    ["inheritedFrees", "u64", 1, "agent", "relaxed", "frees of blocks inherited by fork"],
    ["inheritedFreedBytes", "u64", 1, "agent", "relaxed", "their bytes"],
    ["allocer", "u32", 1, "agent", "once", "the allocer it belongs to"],
  ],
);

export const MODULE: Struct = struct(
  "module",
  512,
  "A loaded ELF object; immutable once complete, but for unloadEpoch. A record whose start is 0 is not complete yet: look again at the next slice.",
  [
    ["start", "u64", 1, "agent", "release", "first mapped address; stored last"],
    ["end", "u64", 1, "agent", "release", "first address behind it"],
    ["bias", "u64", 1, "agent", "release", "run-time address minus ELF virtual address"],
    ["loadEpoch", "u32", 1, "agent", "release", "module epoch at which it was seen first"],
    [
      "unloadEpoch",
      "u32",
      1,
      "agent",
      "relaxed",
      "module epoch at which it was gone, 0 while loaded",
    ],
    ["flags", "u32", 1, "agent", "release", "bits of ModuleFlag"],
    ["buildIdBytes", "u32", 1, "agent", "release", "length of the build id, 0 when it has none"],
    ["buildId", "u8", 32, "agent", "release", "GNU build id"],
    ["pathBytes", "u32", 1, "agent", "release", "length of the path"],
    ["reserved", "u32", 1, "agent", "once", "zero"],
    ["path", "char", 432, "agent", "release", "path as the loader knows it, NUL-terminated"],
  ],
);

export const STRUCTS: readonly Struct[] = [HEADER, CONTROL, SHARD, LINE, ALLOCER, EVIDENCE, MODULE];

/** Bits of a tag, the u64 in the last 8 usable bytes of a block below BIG_BLOCK_BYTES. */
export const TAG = {
  checkBits: 24,
  allocerShift: 24,
  slackShift: 48,
  slackBits: 4,
  generationShift: 52,
} as const;

/** File offsets of the fixed regions; the ones behind them depend on the ceilings. */
export const CONTROL_OFFSET = PAGE_BYTES;
export const SLOT_OF_GEN_OFFSET = 2 * PAGE_BYTES;
export const SLICE_OF_GEN_OFFSET = SLOT_OF_GEN_OFFSET + GENERATION_IDS;
export const SHARDS_OFFSET = SLICE_OF_GEN_OFFSET + 4 * GENERATION_IDS;
export const MODULES_OFFSET = SHARDS_OFFSET + SHARDS * SHARD.size;

/** The ceilings of one segment; a process with small limits gets a smaller one. */
export interface Ceilings {
  /** A multiple of 64. */
  readonly maxAllocers: number;
  /** A multiple of 8. */
  readonly maxModules: number;
  /** At most SHARDS. */
  readonly shardCount: number;
}

/** The ceilings of a process without limits. */
export const DEFAULT_CEILINGS: Ceilings = {
  maxAllocers: MAX_ALLOCERS,
  maxModules: MAX_MODULES,
  shardCount: SHARDS,
};

/** Where the regions lie, in bytes from the start of the file. */
export function regionOffsets(ceilings: Ceilings = DEFAULT_CEILINGS): {
  readonly allocers: number;
  readonly evidence: number;
  readonly lines: number;
  readonly shardStride: number;
  readonly fileBytes: number;
} {
  const { maxAllocers, maxModules, shardCount } = ceilings;
  const allocers = MODULES_OFFSET + maxModules * MODULE.size;
  const evidence = allocers + maxAllocers * ALLOCER.size;
  const lines = evidence + maxAllocers * EVIDENCE.size;
  const shardStride = maxAllocers * LINE.size;
  return { allocers, evidence, lines, shardStride, fileBytes: lines + shardCount * shardStride };
}

/** The value of the control word for a generation id and a watch epoch. */
export function controlWord(generation: number, watchEpoch: number): bigint {
  const low = BigInt(((watchEpoch & 0xfffff) << 12) | (generation & 0xfff)) & 0xffff_ffffn;
  return (~low & 0xffff_ffffn) * 0x1_0000_0000n + low;
}
