/** What a look at a program's file tells before it is started: the input of the preflight. */
import { ok, type Result } from "../base/result.js";
import type { ElfRefusal } from "./byte-source.js";
import { readDynamic } from "./elf-dynamic.js";
import { type ElfFile, findSection, openElf } from "./elf-file.js";
import { ELF } from "./elf-format.js";
import { definedNames } from "./elf-names.js";
import { readBuildId } from "./elf-notes.js";

export interface ElfFacts {
  readonly machine: "x86-64" | "aarch64";
  /** "shared" is a position independent program as well as a shared library. */
  readonly type: "executable" | "shared" | "other";
  /** The dynamic loader the program asks for; null for a static program (and for libraries). */
  readonly interpreter: string | null;
  /** Has PT_DYNAMIC; with no interpreter: a static-pie program, or a library. */
  readonly hasDynamic: boolean;
  /** Shared libraries it asks for, in the file's order. */
  readonly needed: readonly string[];
  readonly buildId: string;
  /** Names of all sections; empty when the section table is missing or damaged. */
  readonly sections: ReadonlySet<string>;
  /** Which of the names asked for .dynsym defines (not: imports). */
  readonly dynamicDefines: ReadonlySet<string>;
  /** The same of .symtab; empty when the file is stripped (`sections` says). */
  readonly symtabDefines: ReadonlySet<string>;
  /** Built by the Go toolchain. */
  readonly isGo: boolean;
}

/** The names looked for by default: allocators' entry points and the sanitizers' start. */
export const FACT_NAMES: readonly string[] = [
  "malloc",
  "free",
  "calloc",
  "realloc",
  "je_malloc",
  "mallocx",
  "tc_malloc",
  "mi_malloc",
  "__asan_init",
  "__hwasan_init",
  "__msan_init",
  "__tsan_init",
  "__lsan_init",
];

const GO_SECTIONS = [".go.buildinfo", ".gopclntab", ".note.go.buildid"];
const INTERPRETER_LIMIT_BYTES = 4096;

/**
 * Reads the facts of the program or library at `path`, following symbolic links.
 *
 * Reads headers, notes and the named symbol tables, never the whole file. Refuses with a reason:
 * "not-elf" for a script, "foreign" for another machine, class or byte order.
 * @param names which symbols to look for; default `FACT_NAMES`
 */
export function readElfFacts(
  path: string,
  names: readonly string[] = FACT_NAMES,
): Result<ElfFacts, ElfRefusal> {
  const opened = openElf(path);
  if (!opened.ok) return opened;
  try {
    return factsOf(opened.value, names);
  } finally {
    opened.value.source.close();
  }
}

function factsOf(file: ElfFile, names: readonly string[]): Result<ElfFacts, ElfRefusal> {
  const interpreter = readInterpreter(file);
  if (!interpreter.ok) return interpreter;
  const dynamic = readDynamic(file);
  if (!dynamic.ok) return dynamic;
  const sections = new Set(file.sections.map((s) => s.name).filter((name) => name !== ""));
  return ok({
    machine: file.machine,
    type: file.type,
    interpreter: interpreter.value,
    hasDynamic: dynamic.value !== null,
    needed: dynamic.value?.needed ?? [],
    buildId: readBuildId(file),
    sections,
    dynamicDefines: definedNames(file, findSection(file, ".dynsym"), names),
    symtabDefines: definedNames(file, findSection(file, ".symtab"), names),
    isGo: GO_SECTIONS.some((name) => sections.has(name)),
  });
}

function readInterpreter(file: ElfFile): Result<string | null, ElfRefusal> {
  const program = file.programs.find((p) => p.type === ELF.PT_INTERP);
  if (program === undefined) return ok(null);
  const size = Math.min(program.fileSize, INTERPRETER_LIMIT_BYTES);
  const read = file.source.read(program.offset, size, "interpreter");
  if (!read.ok) return read;
  const end = read.value.indexOf(0);
  return ok(read.value.toString("utf8", 0, end < 0 ? size : end));
}
