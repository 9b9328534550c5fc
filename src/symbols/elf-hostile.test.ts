// Damaged and hostile ELF files: whatever the bytes say, a reader answers, and reads a bounded amount.
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, run, temporaryFolder } from "../../test/support/elf-programs.js";
import { readDebuglink } from "./debug-file.js";
import { readElfFacts } from "./elf-facts.js";
import { type ElfFile, findSection, openElf } from "./elf-file.js";
import { ELF } from "./elf-format.js";
import { readBuildId } from "./elf-notes.js";
import { SymbolTable } from "./elf-symbols.js";

const folder = temporaryFolder();
const SOURCE = "#include <stdlib.h>\nint main(void) { free(malloc(3)); return 0; }\n";
const path = compile(folder, "small", SOURCE, ["-g"]);
run("objcopy", ["--only-keep-debug", path, `${path}.debug`]);
run("objcopy", [`--add-gnu-debuglink=${path}.debug`, path]);
const sound = readFileSync(path);
const SECTIONS_AT = Number(sound.readBigUInt64LE(40));

/** Everything the folder reads from an ELF file; gives how far it came, for the tests' own check. */
function readEverything(file: string): { opened: boolean; tables: number; names: number } {
  const facts = readElfFacts(file);
  const opened = openElf(file);
  if (!opened.ok) {
    expect(opened.reason.tag).toMatch(/^(not-elf|foreign|damaged|too-large)$/);
    expect(facts.ok).toBe(false);
    return { opened: false, tables: 0, names: 0 };
  }
  const reached = { opened: true, tables: 0, names: 0 };
  for (const name of [".symtab", ".dynsym"])
    reached.names += readTable(opened.value, name, reached);
  expect(readBuildId(opened.value)).toMatch(/^([0-9a-f]{2}){0,64}$/);
  readDebuglink(opened.value);
  opened.value.source.close();
  return reached;
}

function readTable(file: ElfFile, name: string, reached: { tables: number }): number {
  const section = findSection(file, name);
  const table = section === undefined ? undefined : SymbolTable.read(file, section);
  if (table === undefined || !table.ok) return 0;
  reached.tables++;
  let names = 0;
  for (let address = 0x1000; address < 0x1400; address += 7) {
    if (table.value.find(address) !== null) names++;
  }
  return names;
}

function written(bytes: Buffer): string {
  const file = join(folder, "mutated");
  writeFileSync(file, bytes);
  return file;
}

function patched(patch: (bytes: Buffer) => void): string {
  const bytes = Buffer.from(sound);
  patch(bytes);
  return written(bytes);
}

/** Where the header of the named section lies in the sound file. */
function sectionHeader(name: string): number {
  const file = openElf(path);
  if (!file.ok) throw new Error(file.reason.tag);
  const index = file.value.sections.findIndex((section) => section.name === name);
  file.value.source.close();
  if (index < 0) throw new Error(`No section "${name}"`);
  return SECTIONS_AT + index * ELF.SECTION_SIZE;
}

describe("an ELF reader", () => {
  test("reads the sound file: the tests below start from something", () => {
    const reached = readEverything(path);
    expect(reached).toMatchObject({ opened: true, tables: 2 });
    expect(reached.names).toBeGreaterThan(20);
  });

  test("answers for every damaged file: bytes replaced anywhere", () => {
    const byte = fc.tuple(fc.nat(sound.length - 1), fc.nat(255));
    let opened = 0;
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 64 }), (changes) => {
        const file = patched((bytes) => {
          for (const [at, value] of changes) bytes[at] = value;
        });
        if (readEverything(file).opened) opened++;
      }),
      { numRuns: 300 },
    );
    expect(opened).toBeGreaterThan(0);
  });

  test("answers for every damaged file: fields of the headers replaced", () => {
    const interesting = fc.constantFrom(
      0n,
      1n,
      0x7fn,
      0xffffn,
      1n << 31n,
      1n << 53n,
      (1n << 64n) - 1n,
    );
    const value = fc.oneof(interesting, fc.bigInt(0n, (1n << 64n) - 1n), fc.bigInt(0n, 20_000n));
    const programs = 64 + ELF.PROGRAM_SIZE * sound.readUInt16LE(56);
    const inHeaders = fc.integer({ min: 2, max: programs / 8 - 1 }).map((i) => i * 8);
    const inSections = fc
      .nat(sound.readUInt16LE(60) * 8 - 1)
      .map((i) => SECTIONS_AT + i * 8)
      .filter((at) => at + 8 <= sound.length);
    const change = fc.tuple(fc.oneof(inHeaders, inSections), value);
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const file = patched((bytes) => {
          for (const [at, field] of changes) bytes.writeBigUInt64LE(field, at);
        });
        const reached = readEverything(file);
        seen.add(`${reached.opened} ${reached.tables}`);
      }),
      { numRuns: 400 },
    );
    // Both damage that is noticed at once and damage that leaves tables to read occurred.
    expect([...seen].sort()).toEqual(expect.arrayContaining(["false 0", "true 1", "true 2"]));
  });

  test("answers for every length a file may be cut to", () => {
    fc.assert(
      fc.property(fc.nat(sound.length - 1), (length) => {
        readEverything(written(sound.subarray(0, length)));
      }),
      { numRuns: 200 },
    );
    for (let length = 0; length <= 128; length++) {
      expect(readEverything(written(sound.subarray(0, length))).opened).toBe(false);
    }
  });

  test("refuses tables of a size that no file has, though a sparse one may claim it", () => {
    const symtab = sectionHeader(".symtab");
    const file = patched((bytes) => {
      bytes.writeBigUInt64LE(4096n, symtab + 24);
      bytes.writeBigUInt64LE(1n << 40n, symtab + 32);
    });
    const descriptor = openSync(file, "r+");
    ftruncateSync(descriptor, 2 ** 40 + 2 ** 20);
    closeSync(descriptor);
    const opened = openElf(file);
    if (!opened.ok) throw new Error(opened.reason.tag);
    const table = SymbolTable.read(opened.value, findSection(opened.value, ".symtab")!);
    expect(table).toEqual({ ok: false, reason: { tag: "too-large", what: "symbol table" } });
    opened.value.source.close();
    const facts = readElfFacts(file);
    expect(facts.ok && facts.value.symtabDefines.size).toBe(0);
  });

  test("gives up a string table that is nothing but the name looked for", () => {
    const strtab = sectionHeader(".strtab");
    const flood = Buffer.alloc(4 * 1024 * 1024, "free\0");
    const file = patched((bytes) => {
      bytes.writeBigUInt64LE(BigInt(sound.length), strtab + 24);
      bytes.writeBigUInt64LE(BigInt(flood.length), strtab + 32);
    });
    const descriptor = openSync(file, "a");
    writeSync(descriptor, flood);
    closeSync(descriptor);
    expect(readElfFacts(file).ok).toBe(true);
  });

  test("reads the build id past a note that has no end, or gives none", () => {
    const note = Number(sound.readBigUInt64LE(sectionHeader(".note.gnu.build-id") + 24));
    for (const size of [0, 65, 0xffff, 0xffffffff]) {
      for (const field of [0, 4]) {
        const file = openElf(patched((bytes) => bytes.writeUInt32LE(size, note + field)));
        if (!file.ok) throw new Error(file.reason.tag);
        expect(readBuildId(file.value)).toBe("");
        file.value.source.close();
      }
    }
  });

  test("takes no debug link that leads out of its folder", () => {
    const link = Number(sound.readBigUInt64LE(sectionHeader(".gnu_debuglink") + 24));
    for (const name of [
      "../x.debug\0\0",
      "/x/y.debug\0\0",
      "..\0\0",
      "\0\0\0\0",
      "xxxxxxxxxxxxxxxx",
    ]) {
      const file = openElf(patched((bytes) => bytes.write(name, link, "latin1")));
      if (!file.ok) throw new Error(file.reason.tag);
      expect(readDebuglink(file.value)).toBeNull();
      file.value.source.close();
    }
  });
});
