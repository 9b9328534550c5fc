/** The GNU build id of an ELF file, from its notes. */

import type { ElfFile } from "./elf-file.js";
import { ELF } from "./elf-format.js";

const NOTES_LIMIT_BYTES = 64 * 1024;
const NOTE_PARTS_LIMIT = 32;
const NOTE_HEADER_SIZE = 12;
const BUILD_ID_LIMIT_BYTES = 64;

/**
 * The build id in hex digits, "" when the file has none.
 *
 * Sections first: in a separate debug file the program headers point at bytes that are not there.
 */
export function readBuildId(file: ElfFile): string {
  const sections = file.sections
    .filter((s) => s.type === ELF.SHT_NOTE)
    .map((s) => ({ offset: s.offset, size: s.size }));
  const programs = file.programs
    .filter((p) => p.type === ELF.PT_NOTE)
    .map((p) => ({ offset: p.offset, size: p.fileSize }));
  for (const part of [...sections, ...programs].slice(0, NOTE_PARTS_LIMIT)) {
    const id = buildIdIn(file, part.offset, part.size);
    if (id !== "") return id;
  }
  return "";
}

function buildIdIn(file: ElfFile, offset: number, size: number): string {
  const read = file.source.read(offset, Math.min(size, NOTES_LIMIT_BYTES), "notes");
  if (!read.ok) return "";
  const notes = read.value;
  let at = 0;
  while (at + NOTE_HEADER_SIZE <= notes.length) {
    const nameSize = notes.readUInt32LE(at);
    const dataSize = notes.readUInt32LE(at + 4);
    const type = notes.readUInt32LE(at + 8);
    const name = at + NOTE_HEADER_SIZE;
    const data = name + align4(nameSize);
    if (data + dataSize > notes.length) return "";
    const isGnu = nameSize === 4 && notes.toString("latin1", name, name + 4) === "GNU\0";
    if (isGnu && type === ELF.NT_GNU_BUILD_ID && dataSize > 0) {
      if (dataSize > BUILD_ID_LIMIT_BYTES) return "";
      return notes.toString("hex", data, data + dataSize);
    }
    // Notes aligned to 8 (GNU properties) have data sizes that are multiples of 8 already.
    at = data + align4(dataSize);
  }
  return "";
}

const align4 = (n: number): number => Math.ceil(n / 4) * 4;
