/**
 * The look at a program before it starts: can the agent see its memory at all?
 *
 * A program that the agent can't see would run to its end and be called clean. Each rule below is a
 * reason for that, in the order in which they are told.
 */
import { statSync } from "node:fs";
import { type EdLeakError, edleakError } from "../base/edleak-error.js";
import { type ElfFacts, readElfFacts } from "../symbols/elf-facts.js"; // not the index: the target starts before the rest is loaded
import type { Program } from "./find-program.js";
import { runtimeNote } from "./runtime-notes.js";

export interface Preflight {
  /** Why the program can't be seen, null when it can. */
  readonly obstacle: EdLeakError | null;
  /** Sentences about memory of it that isn't malloc's. */
  readonly notes: readonly string[];
}

/** What the preflight has to ask somebody else. */
export interface PreflightContext {
  /** Has the file capabilities that the kernel would give it? Node can't read them. */
  readonly hasCapabilities: (path: string) => Promise<boolean>;
  /** A program built together with the agent: its machine and C library are the agent's. */
  readonly sibling: string;
}

type Rule = (path: string, facts: ElfFacts, sibling: ElfFacts | null) => EdLeakError | null;

const SANITIZER_LIBRARY = /^lib(asan|hwasan|lsan|msan|tsan)\.so/;
const SANITIZER_START = /^__(asan|hwasan|lsan|msan|tsan)_init$/;

const SANITIZER_NAMES: Readonly<Record<string, string>> = {
  asan: "AddressSanitizer",
  hwasan: "HWAddressSanitizer",
  lsan: "LeakSanitizer",
  msan: "MemorySanitizer",
  tsan: "ThreadSanitizer",
};

/** Allocators that are linked into a program under their own names, while malloc stays the C library's. */
const PRIVATE_ALLOCATORS: Readonly<Record<string, string>> = {
  je_malloc: "jemalloc",
  tc_malloc: "tcmalloc",
  mi_malloc: "mimalloc",
};

const isMusl = (facts: ElfFacts): boolean => facts.interpreter?.includes("musl") ?? false;

const cLibrary = (facts: ElfFacts): string => (isMusl(facts) ? "musl" : "glibc");

const isStatic = (facts: ElfFacts): boolean => facts.interpreter === null;

const goProgram: Rule = (path, facts) =>
  facts.isGo && isStatic(facts) ? edleakError("GO_PROGRAM", path) : null;

const staticProgram: Rule = (path, facts) =>
  isStatic(facts) ? edleakError("STATIC_PROGRAM", path) : null;

const sanitizer: Rule = (path, facts) => {
  const match =
    facts.needed.map((name) => SANITIZER_LIBRARY.exec(name)).find((found) => found !== null) ??
    [...facts.dynamicDefines, ...facts.symtabDefines]
      .map((name) => SANITIZER_START.exec(name))
      .find((found) => found !== null);
  const name = SANITIZER_NAMES[match?.[1] ?? ""];
  return name === undefined ? null : edleakError("SANITIZER", path, name);
};

const ownAllocator: Rule = (path, facts) =>
  facts.dynamicDefines.has("malloc") || facts.symtabDefines.has("malloc")
    ? edleakError("OWN_ALLOCATOR", path, "malloc")
    : null;

const otherMachine: Rule = (path, facts, sibling) =>
  sibling !== null && facts.machine !== sibling.machine
    ? edleakError("OTHER_MACHINE", path, facts.machine, sibling.machine)
    : null;

const otherLibrary: Rule = (path, facts, sibling) =>
  sibling !== null && cLibrary(facts) !== cLibrary(sibling)
    ? edleakError("OTHER_C_LIBRARY", path, cLibrary(facts), cLibrary(sibling))
    : null;

const RULES: readonly Rule[] = [
  otherMachine,
  goProgram,
  staticProgram,
  sanitizer,
  ownAllocator,
  otherLibrary,
];

/** Set-user-id and the like make the loader drop LD_PRELOAD, but only when they change who we are. */
async function privileged(path: string, context: PreflightContext): Promise<EdLeakError | null> {
  const file = statSync(path);
  const changesUser = (file.mode & 0o4000) !== 0 && file.uid !== process.geteuid?.();
  const changesGroup = (file.mode & 0o2000) !== 0 && file.gid !== process.getegid?.();
  if (changesUser) return edleakError("PRIVILEGED_PROGRAM", path, "is set-user-id");
  if (changesGroup) return edleakError("PRIVILEGED_PROGRAM", path, "is set-group-id");
  if (process.geteuid?.() === 0) return null; // root gains nothing by a file's capabilities
  return (await context.hasCapabilities(path))
    ? edleakError("PRIVILEGED_PROGRAM", path, "has file capabilities")
    : null;
}

function privateAllocatorNotes(facts: ElfFacts): readonly string[] {
  return Object.entries(PRIVATE_ALLOCATORS)
    .filter(([name]) => facts.dynamicDefines.has(name) || facts.symtabDefines.has(name))
    .map(([, allocator]) => `What it takes from its own ${allocator} is not seen.`);
}

/**
 * Looks at the binary that will run. Never throws: a file that can't be read is left to the kernel
 * and to the check, while it runs, that events arrive.
 */
export async function preflight(program: Program, context: PreflightContext): Promise<Preflight> {
  const path = program.binary;
  const note = runtimeNote(path);
  const notes = note === null ? [] : [note];
  const read = readElfFacts(path);
  const sibling = readElfFacts(context.sibling);
  if (!read.ok) {
    const foreign = read.reason.tag === "foreign" ? read.reason.description : null;
    const ours = sibling.ok ? sibling.value.machine : process.arch;
    return {
      obstacle: foreign === null ? null : edleakError("OTHER_MACHINE", path, foreign, ours),
      notes,
    };
  }
  const siblingFacts = sibling.ok ? sibling.value : null;
  const obstacle = RULES.map((rule) => rule(path, read.value, siblingFacts)).find(
    (found) => found !== null,
  );
  return {
    obstacle: obstacle ?? (await privileged(path, context)),
    notes: [...notes, ...privateAllocatorNotes(read.value), ...goNote(read.value)],
  };
}

const goNote = (facts: ElfFacts): readonly string[] =>
  facts.isGo && !isStatic(facts)
    ? [
        "Only its C side is seen: Go's heap is not malloc's. For that use Go's heap profile (net/http/pprof).",
      ]
    : [];
