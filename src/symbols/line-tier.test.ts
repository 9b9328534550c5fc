// Line tools that fail: what is asked again, what is given up, and that names come in every case.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  compile,
  installed,
  SELF_REPORT,
  selfReport,
  temporaryFolder,
} from "../../test/support/elf-programs.js";
import type { Frame } from "../contract/report.js";
import { findLineTools } from "./find-line-tools.js";
import { helperEnv } from "./helper-env.js";
import { Symbolizer, type SymbolizerOptions } from "./symbolizer.js";

const folder = temporaryFolder();
const TIMEOUT_MS = 50_000;

const source = (name: string): string => `${SELF_REPORT}
static __attribute__((noinline)) int ${name}(int n) { HERE("${name}"); HERE("${name}"); return n; }
int main(int argc, char **argv) { (void)argv; BEGIN(); HERE("main"); return ${name}(argc) - argc; }
`;
const [first, second, third] = ["one", "two", "three"].map((name) => {
  const path = compile(folder, name, source(name), ["-O2", "-g"]);
  const { module, calls } = selfReport(path);
  return calls.map((call) => ({ module, address: call.address, name: call.name, line: call.line }));
});
const all = [...first!, ...second!, ...third!];

/** A tool that writes each line it is asked to a log, and does `script` then. */
function fake(name: string, script: string): { path: string; asked: () => readonly string[] } {
  const path = join(folder, name);
  const log = `${path}.log`;
  writeFileSync(path, `#!/bin/sh\n${script.replaceAll("LOG", `'${log}'`)}\n`);
  chmodSync(path, 0o755);
  const asked = (): readonly string[] =>
    existsSync(log)
      ? readFileSync(log, "utf8")
          .split("\n")
          .filter((line) => line !== "")
      : [];
  return { path, asked };
}

const tools = findLineTools();
const addr2line = installed("addr2line") ? tools.addr2line : null;

async function withSymbolizer(
  options: SymbolizerOptions,
  use: (symbolizer: Symbolizer) => Promise<void>,
): Promise<void> {
  const symbolizer = new Symbolizer({ timeoutMs: TIMEOUT_MS, ...options });
  try {
    await use(symbolizer);
  } finally {
    await symbolizer.close();
  }
}

/** Hangs are ended by their time-out, however long that takes here; all else ends by itself. */
const BROKEN: readonly (readonly [string, string, number])[] = [
  ["never answers", "exec tee LOG > /dev/null", 50],
  ["dies at once", "echo started >> LOG; exit 7", TIMEOUT_MS],
  [
    "dies in mid-answer",
    'read -r line; echo "$line" >> LOG; printf \'{"Addr\'; kill -9 $$',
    TIMEOUT_MS,
  ],
  [
    "talks nonsense",
    'read -r line; echo "$line" >> LOG; echo nonsense; cat > /dev/null',
    TIMEOUT_MS,
  ],
  [
    "doesn't know JSON output",
    'echo "$1" >> LOG; echo "Unknown option \'$1\'"; exit 1',
    TIMEOUT_MS,
  ],
];

describe("a line tool that", () => {
  test.each(BROKEN)("%s is given up, and names still come", async (what, script, timeoutMs) => {
    const { path } = fake(what.replaceAll(/\W/g, "-"), script);
    const lineTools = { llvmSymbolizer: path, addr2line: null };
    await withSymbolizer({ lineTools, timeoutMs }, async (symbolizer) => {
      for (let round = 0; round < 2; round++) {
        const answers = await symbolizer.resolveAll(all);
        expect(answers.map((frames) => frames.map((frame) => frame.function))).toEqual(
          all.map((call) => [call.name]),
        );
        expect(answers.flat().some((frame) => "line" in frame)).toBe(false);
        expect(symbolizer.notes()).toEqual(['Line tool failed and is not used: "llvm-symbolizer"']);
      }
    });
  });

  test("fails twice is not started a third time", async () => {
    const { path, asked } = fake("counts", "echo started >> LOG; exit 1");
    await withSymbolizer(
      { lineTools: { llvmSymbolizer: path, addr2line: null } },
      async (symbolizer) => {
        await symbolizer.resolveAll(first!);
        await symbolizer.resolveAll(first!);
        expect(asked()).toHaveLength(1);
        expect(symbolizer.notes()).toEqual([]);
        await symbolizer.resolveAll([...second!, ...third!]);
        expect(asked()).toHaveLength(2);
      },
    );
  });

  test.skipIf(addr2line === null)("fails leaves the work to addr2line", async () => {
    const { path } = fake("hands-over", "exit 1");
    await withSymbolizer({ lineTools: { llvmSymbolizer: path, addr2line } }, async (symbolizer) => {
      const answers = await symbolizer.resolveAll(all);
      expect(answers.map((frames) => frames.at(-1)!.line)).toEqual(all.map((call) => call.line));
    });
  });

  test.skipIf(!installed("llvm-symbolizer"))(
    "fails on one file is used for the others",
    async () => {
      const poison = `while read -r line; do
      case $line in *"/one"*) exit 9;; esac
      echo "$line" | '${tools.llvmSymbolizer}' "$@"
    done`;
      const { path } = fake("poisoned", poison);
      await withSymbolizer(
        { lineTools: { llvmSymbolizer: path, addr2line: null } },
        async (symbolizer) => {
          const answers = await symbolizer.resolveAll(all);
          expect(answers.map((frames) => frames.at(-1)!.line)).toEqual(
            all.map((call) => (first!.includes(call) ? undefined : call.line)),
          );
          expect(symbolizer.notes()).toEqual([]);
        },
      );
    },
  );
});

describe.skipIf(!installed("llvm-symbolizer"))("the symbolizer", () => {
  const watched = (name: string): { path: string; asked: () => readonly string[] } =>
    fake(name, `tee -a LOG | '${tools.llvmSymbolizer}' "$@"`);

  test("asks for each address once, however often and in whatever calls it is wanted", async () => {
    const { path, asked } = watched("cache");
    await withSymbolizer(
      { lineTools: { llvmSymbolizer: path, addr2line: null } },
      async (symbolizer) => {
        const twice = await symbolizer.resolveAll([...all, ...all]);
        expect(twice.slice(all.length)).toEqual(twice.slice(0, all.length));
        expect(asked()).toHaveLength(all.length);
        const once = await Promise.all(
          all.map(({ module, address }) => symbolizer.resolve(module, address)),
        );
        expect(once).toEqual(twice.slice(0, all.length));
        expect(asked()).toHaveLength(all.length);
      },
    );
  });

  test("asks no line tool for names alone", async () => {
    const { path, asked } = watched("names-alone");
    await withSymbolizer(
      { lineTools: { llvmSymbolizer: path, addr2line: null } },
      async (symbolizer) => {
        const names = await symbolizer.names(all);
        expect(names.map((frame) => frame.function)).toEqual(all.map((call) => call.name));
        expect(existsSync(`${path}.log`)).toBe(false);
        expect(asked()).toHaveLength(0);
      },
    );
  });

  test("answers thousands of addresses of a module, over many batches", async () => {
    const { module } = first![0]!;
    const requests = Array.from({ length: 3000 }, (_, i) => ({
      module,
      address: module.start + BigInt(0x1000 + i),
    }));
    const ask = async (wanted: typeof requests): Promise<readonly (readonly Frame[])[]> => {
      const symbolizer = new Symbolizer({ timeoutMs: TIMEOUT_MS });
      const answers = await symbolizer.resolveAll(wanted);
      await symbolizer.close();
      return answers;
    };
    const answers = await ask(requests);
    expect(answers).toHaveLength(requests.length);
    expect(answers.filter((frames) => frames[0]!.line !== undefined).length).toBeGreaterThan(20);
    expect((await ask(requests.toReversed())).toReversed()).toEqual(answers);
  });
});

describe("the line tools are found", () => {
  const program = (path: string): void => {
    writeFileSync(path, "#!/bin/sh\n");
    chmodSync(path, 0o755);
  };

  test("in the order of the search path, and the newest if only versions are there", () => {
    const [a, b] = ["a", "b"].map((name) => join(folder, "path", name));
    for (const home of [a!, b!]) mkdirSync(home, { recursive: true });
    const none = { llvmSymbolizer: null, addr2line: null };
    expect(findLineTools(`${a}:${b}:relative:`)).toEqual(none);
    for (const name of ["llvm-symbolizer-9", "llvm-symbolizer-14", "llvm-symbolizer-100x"]) {
      program(join(b!, name));
    }
    writeFileSync(join(b!, "llvm-symbolizer-99"), "not executable");
    program(join(b!, "addr2line"));
    const versioned = {
      llvmSymbolizer: join(b!, "llvm-symbolizer-14"),
      addr2line: join(b!, "addr2line"),
    };
    expect(findLineTools(`${a}:${b}`)).toEqual(versioned);
    symlinkSync(join(b!, "llvm-symbolizer-9"), join(b!, "llvm-symbolizer"));
    const plain = { ...versioned, llvmSymbolizer: join(b!, "llvm-symbolizer") };
    expect(findLineTools(`${a}:${b}`)).toEqual(plain);
    program(join(a!, "addr2line"));
    expect(findLineTools(`${a}:${b}`).addr2line).toBe(join(a!, "addr2line"));
  });

  test("and run without the agent and edleak's variables", () => {
    const env = helperEnv({
      PATH: "/bin",
      LD_PRELOAD: "agent.so",
      EDLEAK_DIR: "/x",
      EDLEAK_RUN: "1",
      DEBUGINFOD_URLS: "http://192.0.2.1/",
      LC_ALL: "de_DE.UTF-8",
    });
    expect(env).toEqual({ PATH: "/bin", DEBUGINFOD_URLS: "", LC_ALL: "C" });
  });
});
