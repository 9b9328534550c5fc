// docs/formats/segment.md: the prose is here, the tables come from the contract.
import * as limits from "../../dist/contract/limits.js";
import * as segment from "../../dist/contract/segment.js";

export function segmentDocument() {
  const tables = segment.STRUCTS.map(structTable).join("\n");
  return `${PROSE}\n## Structures\n\n${tables}\n${lossTable()}\n${limitTable()}`;
}

function structTable({ name, size, doc, fields }) {
  const rows = fields.map((f) => {
    const type = f.count > 1 ? `${f.type}[${f.count}]` : f.type;
    return `| ${f.offset} | ${type} | \`${f.name}\` | ${f.writer} | ${f.order} | ${f.doc} |`;
  });
  return `### ${name} (${size} bytes)\n\n${doc}\n\n| offset | type | field | writer | order | meaning |\n|--:|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

function lossTable() {
  const rows = segment.LOSSES.map((l, i) => `| ${i} | \`${l.name}\` | ${l.doc} |`);
  return `## Losses\n\nIndices into \`header.losses\`.\n\n| index | name | meaning |\n|--:|---|---|\n${rows.join("\n")}\n`;
}

function limitTable() {
  const rows = Object.entries(limits)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => `| \`${name}\` | ${value} |`);
  return `## Limits\n\nReasons: \`src/contract/limits.ts\`.\n\n| name | value |\n|---|--:|\n${rows.join("\n")}\n`;
}

const PROSE = `<!-- Written by tools/gen.mjs; do not edit. -->
# The segment

A segment is the file in shared memory in which the agent keeps its counters. It is the only channel
between agent and host: the agent maps it, the host reads it by \`pread\` and writes it by \`pwrite\`.
This page is enough to write a second reader.

## Name and life

\`<directory>/<boot id, first 8 digits>-<pid>-<start time>\`, where the directory is
\`/dev/shm/edleak-<euid>\` (mode 0700) or \`EDLEAK_DIR\`, and pid and start time are the process's as it
sees itself; \`-1\`, \`-2\` ... is appended when the process has replaced its program by \`exec\` (the highest
number is the program now running). Mode 0600. The file is sparse: a fresh one occupies at most
\`FIRST_RESERVATION_BYTES\`; pages are added as allocers and threads appear. It outlives a killed process.

## When a segment may be believed

1. It is a regular file owned by its reader or (read as root) by the process's user, of at least 4096 bytes.
2. \`magic\`, then \`layoutVersion\`, then \`headerBytes\` are as below. Otherwise refuse and say both versions.
3. \`state\` is not 0.
4. \`maxAllocers\` is a multiple of 64 and not larger than 2^24; \`shardCount\`, \`exclusiveShards\` and
   \`maxModules\` do not exceed the limits below; all offsets are those that follow from them; \`fileBytes\`
   is the end of the last region. A reader computes the offsets itself and compares.
5. \`allocersIssued\`, \`modulesIssued\` and \`evidenceIssued\` do not exceed their ceilings. Read them before
   the records that they announce.
Nothing else is needed for memory safety: records are plain numbers, every index must be checked at use.

## Regions, in file order

header, control, slotOfGen (u8 x 4096), sliceOfGen (u32 x 4096), shard headers, modules, allocers,
evidence, lines. The counter line of (shard s, allocer a) is at
\`linesOffset + s * shardStride + a * 64\`. A page that was never reserved reads as zeros.

## Generations

A generation id (12 bits, monotone) names the slices in which a block was born. The host alone opens
ids: it writes \`slotOfGen[id]\` and \`sliceOfGen[id]\`, then the control word. Id 0 is the time before the
first slice. Each thread latches the id at the start of a hook: the latch word of its shard says
which generation each of the two phases of its counter lines holds.

To take a slice: read the shard headers, then lines and evidence, then the headers again; read a shard
whose latch changed once more. Between two readings by the owner the id moves at most once, so a
shard's phase deltas belong to the two generations of its latch word. Then record, then advance the id.

* allocations of an allocer = sum over shards of \`allocs0 + allocs1\`
* frees = sum of \`frees0 + frees1\` + \`oldFrees\` of its evidence record
* live = allocations - frees; bytes likewise
* survivors of generation g = births of g - same-generation frees of g - \`freedBlocks\` of its birth slot

Between quiescent points a difference may be off by the events in flight, and slightly negative: clamp
for display, never carry over.

## Tag

Blocks below ${limits.BIG_BLOCK_BYTES} usable bytes carry a u64 in their last 8 usable bytes: a word xor (the
tag's own address >> 3). Bits of the word: 0-23 check, 24-47 allocer id + 1, 48-51 slack, 52-63 generation
id. The check mixes the payload and a secret of the process. \`requested size = usable - 8 - slack\`; slack 15
means that the requested size is in the 8 bytes before the tag. Bigger blocks are in a table of the
agent's own memory.
`;
