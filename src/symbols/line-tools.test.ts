// The two line tools must tell the same, and whatever they say must be read with care.
import { describe, expect, test } from "vitest";
import {
  compile,
  installed,
  instructionAddresses,
  temporaryFolder,
} from "../../test/support/elf-programs.js";
import { Addr2line, Addr2lineParser } from "./addr2line.js";
import { findLineTools } from "./find-line-tools.js";
import type { LineChain } from "./line-tool.js";
import { LlvmSymbolizer, parseAnswer } from "./llvm-symbolizer.js";

const folder = temporaryFolder();
const TIMEOUT_MS = 50_000;
const tools = findLineTools();

const STANDARD_LIBRARY = `
#include <map>
#include <string>
#include <vector>
int main(int argc, char **argv) {
  std::map<std::string, std::vector<std::string>> words;
  for (int i = 0; i < argc; i++) words[argv[i]].push_back(std::string(argv[0]) + argv[i]);
  std::vector<std::string> all;
  for (auto &pair : words) all.insert(all.end(), pair.second.begin(), pair.second.end());
  return all.size() > 3;
}
`;

const places = (chain: LineChain): readonly string[] =>
  chain.map((frame) => `${frame.file}:${frame.line}`);

/** Without the physical function, whose name we take from the ELF symbols. */
const inlinedNames = (chain: LineChain): readonly (string | null)[] =>
  chain.slice(0, -1).map((frame) => frame.function);

describe("the line tools", () => {
  test.skipIf(!installed("llvm-symbolizer", "addr2line", "objdump"))(
    "give the same inline chains for all instructions of a C++ program",
    async () => {
      // With DWARF 5 binutils 2.40 takes a wrong file now and then: DWARF 4 is the common ground.
      const path = compile(folder, "inlines", STANDARD_LIBRARY, ["-O2", "-gdwarf-4"], "c++");
      const addresses = instructionAddresses(path);
      const llvm = new LlvmSymbolizer(tools.llvmSymbolizer!, TIMEOUT_MS);
      const gnu = new Addr2line(tools.addr2line!, TIMEOUT_MS);
      const [ours, theirs] = await Promise.all([
        llvm.lookUp(path, addresses),
        gnu.lookUp(path, addresses),
      ]);
      await Promise.all([llvm.close(), gnu.close()]);
      if (!ours.ok || !theirs.ok) throw new Error("A line tool failed");
      const known = addresses.map((_, i) => i).filter((i) => ours.value[i]!.at(-1)?.file != null);
      expect(known.length).toBeGreaterThan(500);
      let same = 0;
      expect(known.filter((i) => ours.value[i]!.length > 3).length).toBeGreaterThan(200);
      for (const i of known) {
        expect(places(theirs.value[i]!)).toEqual(places(ours.value[i]!));
        const [first, ...middle] = inlinedNames(ours.value[i]!);
        const [theirFirst, ...theirMiddle] = inlinedNames(theirs.value[i]!);
        expect(theirMiddle).toEqual(middle);
        if (theirFirst === first) same++;
      }
      // What addr2line can't name (see Addr2line) are a few lambdas and static templates.
      expect(same / known.length).toBeGreaterThan(0.95);
    },
  );
});

describe("an answer of llvm-symbolizer", () => {
  const answer = (symbols: unknown): string => JSON.stringify({ Address: "0x12", Symbol: symbols });

  test("gives frames, without what it doesn't know", () => {
    const chain = parseAnswer(
      answer([
        { FunctionName: "inner", FileName: "/a.c", Line: 3, Column: 1 },
        { FunctionName: "outer", FileName: "", Line: 0 },
        { FunctionName: "", FileName: "", Line: 0 },
      ]),
      "0x12",
    );
    expect(chain).toEqual([
      { function: "inner", file: "/a.c", line: 3 },
      { function: "outer", file: null, line: null },
    ]);
  });

  test("that says the file can't be used is an answer", () => {
    const line = '{"Address":"0x12","Error":{"Message":"No such file"},"ModuleName":"/x"}';
    expect(parseAnswer(line, "0x12")).toEqual([]);
  });

  test.each([
    ["no JSON", "hello"],
    ["no object", "17"],
    ["null", "null"],
    ["another address", answer([]).replace("0x12", "0x13")],
    ["no address", '{"Error":{"Message":"unable to parse arguments"}}'],
    ["no list", answer("main")],
  ])("that is %s is refused", (_, line) => {
    expect(parseAnswer(line, "0x12")).toBeNull();
  });

  test("with fields of wrong types has nothing to say", () => {
    const odd = answer([null, 7, { FunctionName: 3, FileName: [], Line: "9" }]);
    expect(parseAnswer(odd, "0x12")).toEqual([]);
    const negative = answer([{ FunctionName: "f", FileName: "/a.c", Line: -1 }]);
    expect(parseAnswer(negative, "0x12")).toEqual([{ function: "f", file: null, line: null }]);
  });
});

describe("an answer of addr2line", () => {
  const END = ["0xfffffffffffffffe", "??", "??:0"];
  const first = "0x0000000000000012";
  const second = "0x0000000000000034";

  function parse(lines: readonly string[]): { verdict: string; chains: readonly LineChain[] } {
    const parser = new Addr2lineParser([0x12, 0x34]);
    const verdicts = lines.map((line) => parser.accept(line));
    expect(verdicts.slice(0, -1).every((verdict) => verdict === "more")).toBe(true);
    return { verdict: verdicts.at(-1)!, chains: parser.chains };
  }

  test("gives a chain for each address, and ends with the address that isn't there", () => {
    const lines = [first, "inner", "/a.c:3", "outer", "/a b:c.c:9 (discriminator 2)"];
    const { verdict, chains } = parse([...lines, second, "??", "??:?", ...END]);
    expect(verdict).toBe("done");
    expect(chains).toEqual([
      [
        { function: "inner", file: "/a.c", line: 3 },
        { function: "outer", file: "/a b:c.c", line: 9 },
      ],
      [],
    ]);
  });

  test("keeps a function without a line, but no file without one", () => {
    const { chains } = parse([first, "f", "??:0", second, "g", "/b.c:?", ...END]);
    expect(chains).toEqual([
      [{ function: "f", file: null, line: null }],
      [{ function: "g", file: null, line: null }],
    ]);
  });

  test("names no inlined call after the function that it is inlined into", () => {
    const lines = [
      first,
      "main.cold",
      "/a.c:3",
      "main",
      "/a.c:9",
      second,
      "main",
      "/a.c:9",
      ...END,
    ];
    const main = { function: "main", file: "/a.c", line: 9 };
    expect(parse(lines).chains).toEqual([
      [{ function: null, file: "/a.c", line: 3 }, main],
      [main],
    ]);
  });

  test.each([
    ["begins with something else", ["main"]],
    ["begins with the second address", [second]],
    ["has no place after a function", [first, "main", "somewhere"]],
  ])("that %s is refused", (_, lines) => {
    expect(parse(lines).verdict).toBe("garbage");
  });
});
