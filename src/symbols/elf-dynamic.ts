/** The dynamic segment of an ELF file: the libraries it asks for. */
import { ok, type Result, refused } from "../base/result.js";
import type { ElfRefusal } from "./byte-source.js";
import { type ElfFile, offsetOfAddress } from "./elf-file.js";
import { ELF, u64 } from "./elf-format.js";

export interface ElfDynamic {
  /** In the file's order. */
  readonly needed: readonly string[];
}

const DYNAMIC_LIMIT_BYTES = 1024 * 1024;
const NEEDED_LIMIT = 4096;
const NAME_LIMIT_BYTES = 4096;

/** Reads PT_DYNAMIC; null when the file has none. */
export function readDynamic(file: ElfFile): Result<ElfDynamic | null, ElfRefusal> {
  const what = "dynamic segment";
  const program = file.programs.find((p) => p.type === ELF.PT_DYNAMIC);
  if (program === undefined) return ok(null);
  if (program.fileSize > DYNAMIC_LIMIT_BYTES) return refused({ tag: "too-large", what });
  const read = file.source.read(program.offset, program.fileSize, what);
  if (!read.ok) return read;
  const needed: number[] = [];
  let stringsAt = 0;
  let stringsSize = 0;
  for (let at = 0; at + ELF.DYNAMIC_SIZE <= read.value.length; at += ELF.DYNAMIC_SIZE) {
    const tag = u64(read.value, at);
    const value = u64(read.value, at + 8);
    if (tag === 0) break;
    if (tag === ELF.DT_NEEDED) needed.push(value);
    if (tag === ELF.DT_STRTAB) stringsAt = value;
    if (tag === ELF.DT_STRSZ) stringsSize = value;
  }
  if (needed.length > NEEDED_LIMIT) return refused({ tag: "too-large", what });
  if (needed.length === 0) return ok({ needed: [] });
  return readNeeded(file, needed, stringsAt, stringsSize);
}

function readNeeded(
  file: ElfFile,
  offsets: readonly number[],
  stringsAt: number,
  stringsSize: number,
): Result<ElfDynamic, ElfRefusal> {
  const what = "dynamic strings";
  const base = offsetOfAddress(file, stringsAt);
  if (base === null) return refused({ tag: "damaged", what });
  const needed: string[] = [];
  for (const offset of offsets) {
    if (offset >= stringsSize) return refused({ tag: "damaged", what });
    const size = Math.min(NAME_LIMIT_BYTES, stringsSize - offset);
    const read = file.source.readUpTo(base + offset, size, what);
    if (!read.ok) return read;
    const end = read.value.indexOf(0);
    if (end < 0) return refused({ tag: "damaged", what });
    needed.push(read.value.toString("utf8", 0, end));
  }
  return ok({ needed });
}
