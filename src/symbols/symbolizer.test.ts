// Programs that report their own calls, named by each tier, in each layout, and when things are missing.
import { describe, expect, test } from "vitest";
import {
  compile,
  installed,
  moduleAt,
  type ReportedCall,
  run,
  SELF_REPORT,
  selfReport,
  temporaryFolder,
} from "../../test/support/elf-programs.js";
import type { Frame } from "../contract/report.js";
import { findLineTools, type LineToolPaths } from "./find-line-tools.js";
import { stackLabel } from "./stack-label.js";
import { Symbolizer, type SymbolizerOptions } from "./symbolizer.js";

const folder = temporaryFolder();

const POOL = `${SELF_REPORT}
#define ALWAYS static inline __attribute__((always_inline))
namespace app {
struct Pool {
  ALWAYS void inner() { HERE("inner"); }
  ALWAYS void middle() { inner(); HERE("middle"); }
  static __attribute__((noinline)) void outer(int) { middle(); HERE("outer"); }
};
}
static __attribute__((noinline)) int plain(int n) { HERE("plain"); return n; }
int main(int argc, char **) {
  BEGIN();
  app::Pool::outer(argc);
  HERE("main");
  return plain(argc) - argc;
}
`;

/** Line of the only line of POOL that contains `text`. */
function lineOf(text: string): number {
  const lines = POOL.split("\n");
  const index = lines.findIndex((line) => line.includes(text));
  expect(lines.filter((line) => line.includes(text))).toHaveLength(1);
  return index + 1;
}

const INNER = { function: "app::Pool::inner()", line: lineOf('HERE("inner")'), inlined: true };
const IN_MIDDLE = { function: "app::Pool::middle()", inlined: true };
const IN_OUTER = {
  function: "app::Pool::outer(int)",
  line: lineOf("middle(); HERE"),
  inlined: false,
};
const EXPECTED: Readonly<Record<string, readonly Partial<Frame>[]>> = {
  inner: [INNER, { ...IN_MIDDLE, line: lineOf("inner(); HERE") }, IN_OUTER],
  middle: [{ ...IN_MIDDLE, line: lineOf("inner(); HERE") }, IN_OUTER],
  outer: [IN_OUTER],
  main: [{ function: "main", line: lineOf('HERE("main")'), inlined: false }],
  plain: [{ function: "plain(int)", line: lineOf('HERE("plain")'), inlined: false }],
};

/** The physical functions of EXPECTED, without what only debug info tells. */
const physical = (call: ReportedCall): Partial<Frame> => {
  const { function: name } = EXPECTED[call.name]!.at(-1)!;
  return { function: name!, inlined: false };
};

const NO_TOOLS: LineToolPaths = { llvmSymbolizer: null, addr2line: null };
const found = findLineTools();
const TOOLS: readonly (readonly [string, LineToolPaths])[] = [
  ["llvm-symbolizer", { ...NO_TOOLS, llvmSymbolizer: found.llvmSymbolizer }],
  ["addr2line", { ...NO_TOOLS, addr2line: found.addr2line }],
];

async function withSymbolizer<T>(
  options: SymbolizerOptions,
  use: (symbolizer: Symbolizer) => Promise<T>,
): Promise<T> {
  const symbolizer = new Symbolizer({ timeoutMs: 50_000, ...options });
  try {
    return await use(symbolizer);
  } finally {
    await symbolizer.close();
  }
}

const LAYOUTS: readonly (readonly [string, readonly string[]])[] = [
  ["position independent", ["-pie", "-fPIE"]],
  ["linked to a fixed address", ["-no-pie"]],
  ["static-pie", ["-static-pie"]],
  ["linked to an odd first address", ["-pie", "-fPIE", "-Wl,-Ttext-segment=0x7000000"]],
];

const layouts = new Map<string, string>();
/** The program in one layout, compiled once for both tools. */
function built(layout: string, flags: readonly string[]): string {
  const known = layouts.get(layout);
  if (known !== undefined) return known;
  const name = layout.replaceAll(" ", "-");
  const path = compile(folder, name, POOL, ["-O2", "-g", ...flags], "c++");
  layouts.set(layout, path);
  return path;
}

describe.each(TOOLS)("with %s", (tool, lineTools) => {
  test.skipIf(!installed(tool)).each(LAYOUTS)(
    "names function, file, line and inlined calls of a program that is %s",
    async (layout, flags) => {
      const path = built(layout, flags);
      const { module, calls } = selfReport(path);
      expect(calls.map((call) => call.name)).toEqual(["inner", "middle", "outer", "main", "plain"]);
      await withSymbolizer({ lineTools }, async (symbolizer) => {
        const answers = await symbolizer.resolveAll(
          calls.map(({ address }) => ({ module, address })),
        );
        for (const [i, call] of calls.entries()) {
          const offset = `0x${(call.address - module.bias).toString(16)}`;
          const same = { address: `0x${call.address.toString(16)}`, module: path, offset };
          const file = `${path}.cc`;
          const expected = EXPECTED[call.name]!.map((frame) => ({ ...frame, ...same, file }));
          expect(answers[i]).toMatchObject(expected);
          expect(answers[i]![0]!.line).toBe(call.line);
          expect(answers[i]![0]!.buildId).toBe(module.buildId);
        }
        const names = await symbolizer.names(calls.map(({ address }) => ({ module, address })));
        expect(names.map((frame) => frame.function)).toEqual(
          answers.map((frames) => frames.at(-1)!.function),
        );
        expect(symbolizer.notes()).toEqual([]);
      });
    },
  );

  test.skipIf(!installed(tool, "objcopy"))(
    "names a program whose path is no plain word, and the next one at the same path",
    async () => {
      const first = compile(folder, "first", POOL, ["-O2", "-g"], "c++");
      const other = POOL.replace("namespace app {", "\n\nnamespace app {").replaceAll("app", "sub");
      const second = compile(folder, "second", other, ["-O2", "-g"], "c++");
      const path = `${folder}/${tool} "of \\ 'many\nwords`;
      await withSymbolizer({ lineTools }, async (symbolizer) => {
        for (const [source, name] of [
          [first, "app::Pool::inner()"],
          [second, "sub::Pool::inner()"],
        ]) {
          run("cp", ["--remove-destination", source!, path]);
          const { module, calls } = selfReport(path);
          const frames = await symbolizer.resolve(module, calls[0]!.address);
          expect(frames).toHaveLength(3);
          expect(frames[0]).toMatchObject({ function: name, line: calls[0]!.line });
        }
      });
    },
  );

  test.skipIf(!installed(tool))(
    "names the plugin that took another's path while both are known",
    async () => {
      const path = `${folder}/${tool}-plugin`;
      const build = (space: string): void => {
        const name = `${tool}-plugin-${space}`;
        const source = POOL.replace(
          "namespace app {",
          `${"\n".repeat(space.length)}namespace app {`,
        );
        run("mv", [
          compile(folder, name, source.replaceAll("app", space), ["-O2", "-g"], "c++"),
          path,
        ]);
      };
      await withSymbolizer({ lineTools }, async (symbolizer) => {
        build("old");
        const old = selfReport(path);
        const ask = async ({ module, calls }: typeof old, i: number): Promise<Partial<Frame>> =>
          (await symbolizer.resolve(module, calls[i]!.address))[0]!;
        expect(await ask(old, 0)).toMatchObject({
          function: "old::Pool::inner()",
          line: old.calls[0]!.line,
        });
        build("newer");
        const newer = selfReport(path);
        expect(newer.calls[0]!.line).toBe(old.calls[0]!.line + 2);
        expect(await ask(newer, 0)).toMatchObject({
          function: "newer::Pool::inner()",
          line: newer.calls[0]!.line,
        });
        // The old file is gone from its path, but it was open: still the right names and lines.
        expect(await ask(old, 1)).toMatchObject({
          function: "old::Pool::middle()",
          line: old.calls[1]!.line,
        });
        expect(await ask(newer, 1)).toMatchObject({
          function: "newer::Pool::middle()",
          line: newer.calls[1]!.line,
        });
        expect(symbolizer.notes()).toEqual([]);
      });
    },
  );
});

describe("without a line tool", () => {
  const path = compile(folder, "names", POOL, ["-O2", "-g"], "c++");
  const { module, calls } = selfReport(path);
  const requests = calls.map(({ address }) => ({ module, address }));

  test("names the physical functions", async () => {
    await withSymbolizer({ lineTools: NO_TOOLS }, async (symbolizer) => {
      const answers = await symbolizer.resolveAll(requests);
      expect(answers).toMatchObject(calls.map((call) => [physical(call)]));
      expect(answers.flat().every((frame) => !("file" in frame) && !("line" in frame))).toBe(true);
      expect(await symbolizer.names(requests)).toEqual(answers.map((frames) => frames[0]));
    });
  });

  test("labels frames by address and function, or by their place in the module", async () => {
    await withSymbolizer({ lineTools: NO_TOOLS }, async (symbolizer) => {
      const address = calls[0]!.address;
      const hex = `0x${address.toString(16)}`;
      const [known] = await symbolizer.resolve(module, address);
      expect(stackLabel(known!)).toBe(`${hex}:app::Pool::outer(int)`);
      const [unknown] = await symbolizer.resolve({ ...module, buildId: "00" }, address);
      const offset = `0x${(address - module.bias).toString(16)}`;
      expect(stackLabel(unknown!)).toBe(`${hex}:names+${offset}`);
      const [nowhere] = await symbolizer.resolve(null, 0x1234n);
      expect(stackLabel(nowhere!)).toBe("0x1234:[anon]+0x1234");
    });
  });

  test("looks up the call before a return address, unless told otherwise", async () => {
    const first = run("nm", ["-n", path])
      .split("\n")
      .find((line) => line.endsWith(" main"))!;
    const address = BigInt(`0x${first.split(" ")[0]}`) + module.bias;
    for (const [returnAddresses, name] of [
      [true, undefined],
      [false, "main"],
    ] as const) {
      await withSymbolizer({ lineTools: NO_TOOLS, returnAddresses }, async (symbolizer) => {
        const [frame] = await symbolizer.resolve(module, address);
        if (name === undefined) expect(frame!.function).not.toBe("main");
        else expect(frame!.function).toBe(name);
        expect(frame!.address).toBe(`0x${address.toString(16)}`);
      });
    }
  });

  test("names nothing outside the module, nor in the vdso", async () => {
    await withSymbolizer({ lineTools: NO_TOOLS }, async (symbolizer) => {
      const address = calls[0]!.address;
      const vdso = { ...module, path: "[vdso]", flags: { ...module.flags, vdso: true } };
      const short = { ...module, end: address - 1n };
      const late = { ...module, start: address };
      const frames = await symbolizer.names(
        [vdso, short, late].map((odd) => ({ module: odd, address })),
      );
      expect(frames.map((frame) => frame.function)).toEqual([undefined, undefined, undefined]);
      expect(stackLabel(frames[0]!)).toMatch(/:\[vdso\]\+0x/);
      expect(symbolizer.notes()).toEqual([]);
    });
  });

  test("names exported functions of a stripped library by what is left", async () => {
    const source =
      "int exported(int n) { return n + 1; }\nstatic int hidden(int n) { return n; }\nint (*p)(int) = hidden;\n";
    const library = compile(folder, "libleft.so.1", source, ["-shared", "-fPIC", "-g"]);
    const symbols = run("nm", [library]).split("\n");
    const at = (name: string): bigint =>
      BigInt(`0x${symbols.find((line) => line.endsWith(` ${name}`))!.split(" ")[0]}`) + 1n;
    run("strip", [library]);
    const left = moduleAt(library, 0x10_0000n);
    await withSymbolizer({}, async (symbolizer) => {
      const frames = await symbolizer.names(
        ["exported", "hidden"].map((name) => ({ module: left, address: at(name) + left.bias })),
      );
      expect(frames[0]!.function).toBe("exported");
      expect(stackLabel(frames[1]!)).toMatch(/^0x[0-9a-f]+:libleft\.so\.1\+0x[0-9a-f]+$/);
    });
  });

  test("refuses calls after close, and answers those before", async () => {
    const symbolizer = new Symbolizer({ lineTools: NO_TOOLS });
    const pending = symbolizer.resolveAll(requests);
    await symbolizer.close();
    expect((await pending).map((frames) => frames.length)).toEqual(calls.map(() => 1));
    await expect(symbolizer.resolve(module, calls[0]!.address)).rejects.toThrow(/closed/);
  });
});
