// The C face of the contract: structures with a static assertion on every size and offset.
import { readFileSync } from "node:fs";
import * as limits from "../../dist/contract/limits.js";
import * as segment from "../../dist/contract/segment.js";

const version = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url))).version;
const C_TYPE = { u8: "uint8_t", char: "char", u16: "uint16_t", u32: "uint32_t", u64: "uint64_t" };
const snake = (name) => name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
const upper = (name) => snake(name).toUpperCase();

function cStruct({ name, size, doc, fields }) {
  const last = fields.at(-1);
  const used = last.offset + segment.fieldWidth(last.type) * last.count;
  const lines = fields.map((f) => {
    const array = f.count > 1 ? `[${f.count}]` : "";
    return `  ${C_TYPE[f.type]} ${snake(f.name)}${array}; /* ${f.writer}, ${f.order}: ${f.doc} */`;
  });
  if (used < size) lines.push(`  uint8_t reserved_to_end[${size - used}];`);
  const asserts = fields.map(
    (f) =>
      `_Static_assert(offsetof(struct edl_${name}, ${snake(f.name)}) == ${f.offset}, "${name}.${snake(f.name)}");`,
  );
  return [
    `/* ${doc} */`,
    `struct edl_${name} {`,
    ...lines,
    "};",
    `_Static_assert(sizeof(struct edl_${name}) == ${size}, "size of ${name}");`,
    ...asserts,
    "",
  ].join("\n");
}

const define = (name, value) => `#define EDL_${name} ${value}`;
const constants = (prefix, table) =>
  Object.entries(table).map(([name, value]) => define(`${prefix}_${upper(name)}`, value));

export function abiHeader() {
  const numeric = Object.entries(limits).filter(([, value]) => typeof value === "number");
  return [
    "/* The segment's layout for the agent. Written by tools/gen.mjs from src/contract; do not edit. */",
    "#ifndef EDL_ABI_H",
    "#define EDL_ABI_H",
    "#include <stddef.h>",
    "#include <stdint.h>",
    "",
    define("AGENT_VERSION", JSON.stringify(version)),
    define("SEGMENT_MAGIC", `UINT64_C(0x${segment.SEGMENT_MAGIC.toString(16)})`),
    define("PAGE_BYTES", segment.PAGE_BYTES),
    ...numeric.map(([name, value]) => define(name, value)),
    define("CONTROL_OFFSET", segment.CONTROL_OFFSET),
    define("SLOT_OF_GEN_OFFSET", segment.SLOT_OF_GEN_OFFSET),
    define("SLICE_OF_GEN_OFFSET", segment.SLICE_OF_GEN_OFFSET),
    define("SHARDS_OFFSET", segment.SHARDS_OFFSET),
    define("MODULES_OFFSET", segment.MODULES_OFFSET),
    ...constants("TAG", segment.TAG),
    ...constants("STATE", segment.SegmentState),
    ...constants("ARCH", segment.SegmentArch),
    ...constants("ALLOCATOR", segment.AllocatorKind),
    ...constants("COVERAGE", segment.CoverageFlag),
    ...constants("SHARD", segment.ShardKind),
    ...constants("MODULE", segment.ModuleFlag),
    "",
    "/* Reasons for losses: indices into header.losses. */",
    "enum edl_loss {",
    ...segment.LOSSES.map((loss, i) => `  EDL_LOSS_${upper(loss.name)} = ${i}, /* ${loss.doc} */`),
    "};",
    "",
    ...segment.STRUCTS.map(cStruct),
    "#endif",
    "",
  ].join("\n");
}
