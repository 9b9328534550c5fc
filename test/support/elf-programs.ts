/** Small real programs for tests: compiled on the spot, run once, and asked where their own calls were. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { ModuleInfo } from "../../src/contract/slice.js";
import { openElf } from "../../src/symbols/elf-file.js";
import { ELF } from "../../src/symbols/elf-format.js";
import { readBuildId } from "../../src/symbols/elf-notes.js";

/** True when all programs are on PATH; a test that needs a missing one is skipped by `test.skipIf`. */
export function installed(...programs: readonly string[]): boolean {
  const folders = (process.env.PATH ?? "").split(":");
  return programs.every((program) => folders.some((folder) => canRun(join(folder, program))));
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A new folder that is removed after the tests of the file that asked for it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "edleak-symbols-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a program and gives its output; its complaints appear in the test's failure. */
export function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Writes `source` into `folder` and compiles it; gives the path of the program. */
export function compile(
  folder: string,
  name: string,
  source: string,
  flags: readonly string[],
  compiler: "cc" | "c++" | "musl-gcc" = "cc",
): string {
  const file = join(folder, `${name}.${compiler === "c++" ? "cc" : "c"}`);
  const output = join(folder, name);
  writeFileSync(file, source);
  run(compiler, [file, "-o", output, ...flags]);
  return output;
}

/** A call that the running program reported: where it returns to, and what must be said of it. */
export interface ReportedCall {
  readonly address: bigint;
  readonly name: string;
  readonly line: number;
}

/** Runs a program that includes `SELF_REPORT`: its module as loaded, and its calls. */
export function selfReport(path: string): {
  readonly module: ModuleInfo;
  readonly calls: readonly ReportedCall[];
} {
  const [first, ...lines] = run(path, []).trim().split("\n");
  const calls = lines
    .filter((line) => line !== "end")
    .map((line) => {
      const [address, name, number] = line.split(" ");
      return { address: BigInt(`0x${address}`), name: name!, line: Number(number) };
    });
  return { module: moduleAt(path, BigInt(`0x${first}`)), calls };
}

/**
 * C and C++ text that makes a program report itself: the address of its ELF header first, then by
 * `HERE(name)` the return address of that very call, a name and the line.
 */
export const SELF_REPORT = `
#include <stdio.h>
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
static __attribute__((noinline)) void record(const char *name, int line) {
  printf("%lx %s %d\\n", (unsigned long)__builtin_return_address(0), name, line);
}
#define HERE(name) do { record(name, __LINE__); __asm__ volatile(""); } while (0)
#define BEGIN() printf("%lx\\n", (unsigned long)__ehdr_start)
`;

/** The module of an ELF file whose first loaded byte is at `start`; default: where it was linked. */
export function moduleAt(path: string, start?: bigint): ModuleInfo {
  const opened = openElf(path);
  if (!opened.ok) throw new Error(`Cannot open "${path}": ${opened.reason.tag}`);
  const loads = opened.value.programs.filter((program) => program.type === ELF.PT_LOAD);
  const lowest = BigInt(Math.min(...loads.map((program) => program.address)));
  const highest = BigInt(Math.max(...loads.map((p) => p.address + p.memorySize)));
  const bias = (start ?? lowest) - lowest;
  const buildId = readBuildId(opened.value);
  opened.value.source.close();
  return {
    index: 0,
    start: lowest + bias,
    end: highest + bias,
    bias,
    path,
    buildId,
    loadEpoch: 0,
    flags: { agent: false, executable: false, vdso: false },
  };
}

/** Virtual addresses of all instructions in a file, by objdump. */
export function instructionAddresses(path: string): readonly number[] {
  const listing = run("objdump", ["-d", "--no-show-raw-insn", path]);
  return [...listing.matchAll(/^ *([0-9a-f]+):\s/gm)].map((line) => Number.parseInt(line[1]!, 16));
}
