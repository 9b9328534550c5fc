/**
 * The frame of an ELF file: header, program headers and section table, read from hostile bytes.
 *
 * Only 64-bit little-endian files of x86-64 and aarch64 pass. The kernel and the loader never look
 * at sections, so a missing or damaged section table leaves a usable file without sections.
 */
import { ok, type Result, refused } from "../base/result.js";
import { ByteSource, type ElfRefusal } from "./byte-source.js";
import { describeForeign, ELF, MACHINES, u64 } from "./elf-format.js";

/** A program header. Addresses above 2^53 are not exact; no real file has them. */
export interface ElfProgram {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** Index of the section that holds the strings of a symbol table. */
  readonly link: number;
}

/** An open ELF file. Its owner calls `close` once. */
export interface ElfFile {
  readonly source: ByteSource;
  readonly machine: "x86-64" | "aarch64";
  readonly type: "executable" | "shared" | "other";
  readonly programs: readonly ElfProgram[];
  readonly sections: readonly ElfSection[];
}

const PROGRAM_LIMIT = 1024;
const SECTION_NAMES_LIMIT_BYTES = 4 * 1024 * 1024;

/** Opens `path` and reads its frame. On refusal nothing stays open. */
export function openElf(path: string): Result<ElfFile, ElfRefusal> {
  const source = ByteSource.open(path);
  if (!source.ok) return source;
  const file = readFrame(source.value);
  if (!file.ok) source.value.close();
  return file;
}

/** The first section of that name that has bytes in the file. */
export function findSection(file: ElfFile, name: string): ElfSection | undefined {
  return file.sections.find((s) => s.name === name && s.type !== ELF.SHT_NOBITS && s.size > 0);
}

/** The file offset of a virtual address, or null when no loaded segment has it in the file. */
export function offsetOfAddress(file: ElfFile, address: number): number | null {
  for (const p of file.programs) {
    if (p.type !== ELF.PT_LOAD) continue;
    if (address >= p.address && address < p.address + p.fileSize) {
      return address - p.address + p.offset;
    }
  }
  return null;
}

function readFrame(source: ByteSource): Result<ElfFile, ElfRefusal> {
  if (source.size < ELF.IDENT_SIZE) return refused({ tag: "not-elf" });
  const read = source.readUpTo(0, ELF.HEADER_SIZE, "header");
  if (!read.ok) return read;
  const header = read.value;
  if (header.readUInt32BE(0) !== ELF.MAGIC) return refused({ tag: "not-elf" });
  if (header.length < ELF.HEADER_SIZE) return refused({ tag: "damaged", what: "header" });
  const machine = MACHINES.get(header.readUInt16LE(18));
  if (header[4] !== ELF.CLASS_64 || header[5] !== ELF.DATA_LITTLE || machine === undefined) {
    return refused({ tag: "foreign", description: describeForeign(header) });
  }
  const programs = readPrograms(source, header);
  if (!programs.ok) return programs;
  const type = header.readUInt16LE(16);
  return ok({
    source,
    machine,
    type: type === ELF.ET_EXEC ? "executable" : type === ELF.ET_DYN ? "shared" : "other",
    programs: programs.value,
    sections: readSections(source, header),
  });
}

function readPrograms(
  source: ByteSource,
  header: Buffer,
): Result<readonly ElfProgram[], ElfRefusal> {
  const what = "program headers";
  const count = header.readUInt16LE(56);
  if (count === 0) return ok([]);
  if (header.readUInt16LE(54) !== ELF.PROGRAM_SIZE) return refused({ tag: "damaged", what });
  if (count > PROGRAM_LIMIT) return refused({ tag: "too-large", what });
  const table = source.read(u64(header, 32), count * ELF.PROGRAM_SIZE, what);
  if (!table.ok) return table;
  const programs: ElfProgram[] = [];
  for (let at = 0; at < table.value.length; at += ELF.PROGRAM_SIZE) {
    programs.push({
      type: table.value.readUInt32LE(at),
      offset: u64(table.value, at + 8),
      address: u64(table.value, at + 16),
      fileSize: u64(table.value, at + 32),
      memorySize: u64(table.value, at + 40),
    });
  }
  return ok(programs);
}

function readSections(source: ByteSource, header: Buffer): readonly ElfSection[] {
  const count = header.readUInt16LE(60);
  if (count === 0 || header.readUInt16LE(58) !== ELF.SECTION_SIZE) return [];
  const table = source.read(u64(header, 40), count * ELF.SECTION_SIZE, "sections");
  if (!table.ok) return [];
  const raw = table.value;
  const names = readSectionNames(source, raw, header.readUInt16LE(62));
  const sections: ElfSection[] = [];
  for (let at = 0; at < raw.length; at += ELF.SECTION_SIZE) {
    sections.push({
      name: stringAt(names, raw.readUInt32LE(at)),
      type: raw.readUInt32LE(at + 4),
      address: u64(raw, at + 16),
      offset: u64(raw, at + 24),
      size: u64(raw, at + 32),
      link: raw.readUInt32LE(at + 40),
    });
  }
  return sections;
}

function readSectionNames(source: ByteSource, table: Buffer, index: number): Buffer {
  const at = index * ELF.SECTION_SIZE;
  if (at + ELF.SECTION_SIZE > table.length) return Buffer.alloc(0);
  const size = u64(table, at + 32);
  if (size > SECTION_NAMES_LIMIT_BYTES) return Buffer.alloc(0);
  const names = source.read(u64(table, at + 24), size, "section names");
  return names.ok ? names.value : Buffer.alloc(0);
}

const SECTION_NAME_LIMIT_BYTES = 256;

function stringAt(strings: Buffer, at: number): string {
  if (at >= strings.length) return "";
  const room = strings.subarray(at, at + SECTION_NAME_LIMIT_BYTES);
  const end = room.indexOf(0);
  return room.toString("latin1", 0, end < 0 ? room.length : end);
}
