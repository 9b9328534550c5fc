// Where names come from when a module's file is stripped, replaced, deleted or overwritten.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import {
  compile,
  installed,
  moduleAt,
  run,
  SELF_REPORT,
  selfReport,
  temporaryFolder,
} from "../../test/support/elf-programs.js";
import type { Frame } from "../contract/report.js";
import type { ModuleInfo } from "../contract/slice.js";
import { Symbolizer, type SymbolizerOptions } from "./symbolizer.js";

const folder = temporaryFolder();

const SOURCE = `${SELF_REPORT}
static __attribute__((noinline)) int leaf(int n) { HERE("leaf"); return n; }
int main(int argc, char **argv) {
  (void)argv;
  BEGIN();
  leaf(argc);
  printf("end\\n");
  fflush(stdout);
  getchar();
  return 0;
}
`;

let programs = 0;
/** A program of its own build id in a folder of its own. */
function build(...flags: readonly string[]): { path: string; home: string } {
  const home = join(folder, `program-${++programs}`);
  mkdirSync(home);
  const id = programs.toString(16).padStart(40, "0");
  const path = compile(home, "target", SOURCE, ["-O2", "-g", `-Wl,--build-id=0x${id}`, ...flags]);
  return { path, home };
}

/** The module and the one call of a program that reports and then ends. */
function report(path: string): { module: ModuleInfo; address: bigint } {
  const { module, calls } = selfReport(path);
  return { module, address: calls[0]!.address };
}

async function ask(
  { module, address }: { module: ModuleInfo; address: bigint },
  options: SymbolizerOptions = {},
): Promise<{ frame: Frame; notes: readonly string[] }> {
  const symbolizer = new Symbolizer({ timeoutMs: 50_000, ...options });
  const [frame] = await symbolizer.resolve(module, address);
  const notes = symbolizer.notes();
  await symbolizer.close();
  return { frame: frame!, notes };
}

const LINE = SOURCE.split("\n").findIndex((line) => line.includes('HERE("leaf")')) + 1;
const KNOWN = { function: "leaf" };
const hasTool = installed("llvm-symbolizer") || installed("addr2line");
/** With any line tool on the machine the line is known too. */
const FULL = hasTool ? { ...KNOWN, line: LINE } : KNOWN;

describe.skipIf(!installed("objcopy", "strip"))("a stripped program is named by", () => {
  /** Splits the debug info off into `debugPath`, and leaves a link to its name if asked. */
  function split(path: string, debugPath: string, link: boolean): void {
    run("objcopy", ["--only-keep-debug", path, debugPath]);
    run("strip", [path]);
    if (link) run("objcopy", [`--add-gnu-debuglink=${debugPath}`, path]);
  }

  /** Folder and name of a build id's debug file under a root. */
  function byBuildId(root: string, { buildId }: ModuleInfo): string {
    const home = join(root, ".build-id", buildId.slice(0, 2));
    mkdirSync(home, { recursive: true });
    return join(home, `${buildId.slice(2)}.debug`);
  }

  test("nothing, when nothing is left", async () => {
    const { path, home } = build();
    split(path, join(home, "elsewhere"), false);
    const { frame, notes } = await ask(report(path));
    expect(frame.function).toBeUndefined();
    expect(notes).toEqual([]);
  });

  test("the file its debug link names, beside it", async () => {
    const { path, home } = build();
    split(path, join(home, "target.debug"), true);
    expect((await ask(report(path))).frame).toMatchObject(FULL);
  });

  test("the file its debug link names, in .debug", async () => {
    const { path, home } = build();
    mkdirSync(join(home, ".debug"));
    split(path, join(home, ".debug", "target.debug"), true);
    expect((await ask(report(path))).frame).toMatchObject(FULL);
  });

  test("the file its debug link names, under a debug root", async () => {
    const { path, home } = build();
    const root = join(home, "root");
    mkdirSync(join(root, home), { recursive: true });
    split(path, join(root, home, "target.debug"), true);
    expect((await ask(report(path), { debugRoots: [root] })).frame).toMatchObject(FULL);
    expect((await ask(report(path))).frame.function).toBeUndefined();
  });

  test("its debug link without a build id, by the checksum alone", async () => {
    const { path, home } = build("-Wl,--build-id=none");
    split(path, join(home, "target.debug"), true);
    const target = report(path);
    expect(target.module.buildId).toBe("");
    expect((await ask(target)).frame).toMatchObject(FULL);
    appendFileSync(join(home, "target.debug"), "one byte more");
    expect((await ask(target)).frame.function).toBeUndefined();
  });

  test("no debug link whose checksum is wrong, whatever its build id", async () => {
    const { path, home } = build();
    split(path, join(home, "target.debug"), true);
    appendFileSync(join(home, "target.debug"), "one byte more");
    expect((await ask(report(path))).frame.function).toBeUndefined();
  });

  test("no debug link to a file of another build", async () => {
    const { path } = build();
    const other = build();
    split(other.path, join(path, "..", "target.debug"), false);
    run("strip", [path]);
    run("objcopy", [`--add-gnu-debuglink=${join(path, "..", "target.debug")}`, path]);
    expect((await ask(report(path))).frame.function).toBeUndefined();
  });

  test("the file of its build id, also when its own file is gone", async () => {
    const { path, home } = build();
    const target = report(path);
    const root = join(home, "root");
    split(path, byBuildId(root, target.module), false);
    expect((await ask(target, { debugRoots: [root] })).frame).toMatchObject(FULL);
    rmSync(path);
    const { frame, notes } = await ask(target, { debugRoots: [root] });
    expect(frame).toMatchObject(FULL);
    expect(notes).toEqual([`File not found: "${path}"`]);
  });

  test("no file that lies under its build id but has another", async () => {
    const { path, home } = build();
    const target = report(path);
    const root = join(home, "root");
    split(build().path, byBuildId(root, target.module), false);
    run("strip", [path]);
    expect((await ask(target, { debugRoots: [root] })).frame.function).toBeUndefined();
  });
});

describe("a file that changed", () => {
  test("names nothing: module and offset stay, and a note says why", async () => {
    const { path } = build();
    const target = report(path);
    renameSync(build().path, path);
    const { frame, notes } = await ask(target);
    const offset = `0x${(target.address - target.module.bias).toString(16)}`;
    expect(frame).toEqual({
      address: `0x${target.address.toString(16)}`,
      module: path,
      buildId: target.module.buildId,
      offset,
      inlined: false,
    });
    expect(notes).toEqual([`File changed on disk: "${path}"`]);
  });

  test("is noticed when a build id came or went", async () => {
    const { path } = build();
    const target = report(path);
    for (const buildId of ["", `${target.module.buildId}00`, "zz"]) {
      const { frame, notes } = await ask({ ...target, module: { ...target.module, buildId } });
      expect(frame.function).toBeUndefined();
      expect(notes).toEqual([`File changed on disk: "${path}"`]);
    }
  });

  test("is noticed when it is no ELF file any more, or not to be read", async () => {
    const { path } = build();
    const target = report(path);
    run("cp", ["--remove-destination", "/etc/passwd", path]);
    expect((await ask(target)).notes).toEqual([`File changed on disk: "${path}"`]);
    rmSync(path);
    symlinkSync("/dev/zero", path);
    expect((await ask(target)).notes).toEqual([`File changed on disk: "${path}"`]);
  });

  test("still names what was opened before, when replaced while in use", async () => {
    const { path } = build();
    const target = report(path);
    const symbolizer = new Symbolizer({ timeoutMs: 50_000 });
    await symbolizer.names([target]);
    renameSync(build().path, path);
    expect((await symbolizer.resolve(target.module, target.address))[0]).toMatchObject(FULL);
    expect(symbolizer.notes()).toEqual([]);
    await symbolizer.close();
  });

  test("names nothing more when overwritten in place while in use", async () => {
    const { path } = build();
    const target = report(path);
    const symbolizer = new Symbolizer({ timeoutMs: 50_000 });
    expect((await symbolizer.names([target]))[0]).toMatchObject(KNOWN);
    appendFileSync(path, "one byte more");
    const next = { module: target.module, address: target.address + 1n };
    expect((await symbolizer.names([next]))[0]!.function).toBeUndefined();
    expect((await symbolizer.names([target]))[0]).toMatchObject(KNOWN);
    expect(symbolizer.notes()).toEqual([`File changed on disk: "${path}"`]);
    await symbolizer.close();
  });
});

describe("a live process", () => {
  const children: ChildProcessByStdio<Writable, Readable, null>[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.stdin.end();
      if (child.exitCode === null) await new Promise((done) => child.once("exit", done));
    }
  });

  /** Starts the program, which then waits; its report, for the module as it is mapped. */
  async function start(
    path: string,
    executable: boolean,
  ): Promise<{
    pid: number;
    target: { module: ModuleInfo; address: bigint };
  }> {
    const child = spawn(path, [], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      if (line === "end") break;
      lines.push(line);
    }
    const linked = moduleAt(path, BigInt(`0x${lines[0]}`));
    const module = { ...linked, flags: { ...linked.flags, executable } };
    return { pid: child.pid!, target: { module, address: BigInt(`0x${lines[1]!.split(" ")[0]}`) } };
  }

  // Reading map_files needs more rights than owning the process.
  const canReadMapFiles = process.getuid?.() === 0;

  test.each([
    ["program", true],
    ["library", false],
  ] as const)(
    "names its %s whose file was deleted, or another put in its place",
    async (_, executable) => {
      const { path } = build();
      const { pid, target } = await start(path, executable);
      for (const change of [(): void => rmSync(path), (): void => renameSync(build().path, path)]) {
        change();
        const { frame, notes } = await ask(target, { pid });
        if (executable || canReadMapFiles) {
          expect(frame).toMatchObject(FULL);
          expect(notes).toEqual([]);
        } else {
          expect(frame.function).toBeUndefined();
          expect(notes).toEqual([`File changed on disk: "${path}"`]);
        }
        expect((await ask(target)).frame.function).toBeUndefined();
      }
    },
  );

  test("names nothing by a file in its place that has no build id either", async () => {
    const { path } = build("-Wl,--build-id=none");
    const { pid, target } = await start(path, false);
    const other = SOURCE.replaceAll("leaf", "imposter");
    const source = compile(join(path, ".."), "other", other, ["-O2", "-g", "-Wl,--build-id=none"]);
    renameSync(source, path);
    const { frame } = await ask(target, { pid });
    expect(frame.function).toBe(canReadMapFiles ? "leaf" : undefined);
  });

  test("is not asked when its pid has become another's", async () => {
    const { path } = build();
    const target = report(path);
    const { pid } = await start(build().path, true);
    const executable = { ...target.module, flags: { ...target.module.flags, executable: true } };
    const { frame, notes } = await ask({ ...target, module: executable }, { pid });
    expect(frame).toMatchObject(FULL);
    expect(notes).toEqual([]);
  });
});

test("a program that cannot be read is no error", async () => {
  const { path } = build();
  const target = report(path);
  chmodSync(path, 0);
  const { frame, notes } = await ask(target);
  if (process.getuid?.() === 0) expect(frame).toMatchObject(KNOWN);
  else expect(notes).toEqual([`File not readable (EACCES): "${path}"`]);
});
