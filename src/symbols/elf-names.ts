/**
 * Which of a few names a symbol table defines, in two passes of constant memory: first the places
 * of the names in the string table, then the symbols that point there.
 */
import type { ElfFile, ElfSection } from "./elf-file.js";
import { ELF } from "./elf-format.js";

const CHUNK_BYTES = 1024 * 1024;
/** More than any real table; a sparse file can claim any size. */
const TABLE_LIMIT_BYTES = 512 * 1024 * 1024;
/** Real tables have some hundred strings that end like one of a few names. */
const PLACES_LIMIT = 65_536;

/** The names out of `wanted` that the symbol table `table` defines; what cannot be read defines none. */
export function definedNames(
  file: ElfFile,
  table: ElfSection | undefined,
  wanted: readonly string[],
): ReadonlySet<string> {
  const found = new Set<string>();
  const strings = table === undefined ? undefined : file.sections[table.link];
  if (table === undefined || strings === undefined) return found;
  if (Math.max(table.size, strings.size) > TABLE_LIMIT_BYTES) return found;
  const places = placesOf(file, strings, wanted);
  if (places.size === 0) return found;
  const step = CHUNK_BYTES - (CHUNK_BYTES % ELF.SYMBOL_SIZE);
  for (let at = 0; at < table.size && found.size < wanted.length; at += step) {
    const chunk = file.source.read(table.offset + at, Math.min(step, table.size - at), "symbols");
    if (!chunk.ok) return found;
    collect(chunk.value, places, found);
  }
  return found;
}

function collect(symbols: Buffer, places: ReadonlyMap<number, string>, found: Set<string>): void {
  for (let at = 0; at + ELF.SYMBOL_SIZE <= symbols.length; at += ELF.SYMBOL_SIZE) {
    const name = places.get(symbols.readUInt32LE(at));
    if (name !== undefined && symbols.readUInt16LE(at + 6) !== ELF.SHN_UNDEF) found.add(name);
  }
}

/** Every offset at which one of the names ends a string: linkers let "malloc" share "xmalloc". */
function placesOf(
  file: ElfFile,
  strings: ElfSection,
  wanted: readonly string[],
): ReadonlyMap<number, string> {
  const places = new Map<number, string>();
  const needles = wanted.map((name) => ({ name, bytes: Buffer.from(`${name}\0`, "latin1") }));
  const overlap = Math.max(...needles.map((n) => n.bytes.length));
  for (let at = 0; at < strings.size; at += CHUNK_BYTES) {
    const size = Math.min(CHUNK_BYTES + overlap, strings.size - at);
    const chunk = file.source.read(strings.offset + at, size, "strings");
    if (!chunk.ok) return places;
    for (const { name, bytes } of needles) {
      for (let i = chunk.value.indexOf(bytes); i >= 0; i = chunk.value.indexOf(bytes, i + 1)) {
        places.set(at + i, name);
        if (places.size >= PLACES_LIMIT) return places;
      }
    }
  }
  return places;
}
