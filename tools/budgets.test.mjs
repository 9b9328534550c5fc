import { describe, expect, test } from "vitest";
import { CEILINGS, overruns } from "./budgets.mjs";

const HEAD = "// What this file is for, in words.\n";
const lines = (count) => "x;\n".repeat(count);

describe("overruns", () => {
  test.each([
    ["src/growth/a.ts", CEILINGS.script.file],
    ["tools/a.mjs", CEILINGS.script.file],
    ["agent/a.c", CEILINGS.c.file],
    ["agent/a.h", CEILINGS.c.file],
  ])("%s may have %d lines and not one more", (path, ceiling) => {
    expect(overruns(path, HEAD + lines(ceiling - 1))).toEqual([]);
    expect(overruns(path, HEAD + lines(ceiling))).toEqual([
      `${path}: ${ceiling + 1} lines, ceiling ${ceiling}`,
    ]);
  });

  test("a reason in the head excuses a long file, further down it doesn't", () => {
    const reason = "// budget: one table, read as one\n";
    expect(overruns("src/a.ts", HEAD + reason + lines(400))).toEqual([]);
    expect(overruns("src/a.ts", HEAD + lines(20) + reason + lines(400))).toHaveLength(1);
    expect(overruns("src/a.ts", `${HEAD}// budget:\n${lines(400)}`)).toHaveLength(1);
  });

  test("a C function has a ceiling of its own", () => {
    const body = (count) => `${HEAD}static int\nf(int a) {\n${"  x;\n".repeat(count)}}\n`;
    expect(overruns("agent/a.c", body(CEILINGS.c.function))).toEqual([]);
    expect(overruns("agent/a.c", body(CEILINGS.c.function + 1))).toEqual([
      'agent/a.c:3: 81 lines in "f(int a)"',
    ]);
  });

  test("a function's parameters may take several lines", () => {
    const text = `${HEAD}int f(int a,\n      int b) {\n${"  x;\n".repeat(81)}}\n`;
    expect(overruns("agent/a.c", text)).toEqual(['agent/a.c:3: 81 lines in "int b)"']);
  });

  test("a long table in C is no function", () => {
    const table = `${HEAD}static const int t[] = {\n${"  1,\n".repeat(100)}};\n`;
    expect(overruns("agent/a.c", table)).toEqual([]);
  });

  test.each([
    "// What this file is for.\n",
    "/* What this file is for. */\n",
    "/**\n * What this file is for.\n */\n",
    "#!/usr/bin/env node\n// What this file is for.\n",
  ])("%j says what the file is for", (text) => {
    expect(overruns("src/a.ts", text)).toEqual([]);
  });

  test.each(["", "export {};\n", "\n// What this file is for.\n", "// Types\n", "/* eslint */\n"])(
    "%j doesn't",
    (text) => {
      expect(overruns("src/a.ts", text)).toEqual([
        "src/a.ts: doesn't begin with a comment that says what it is for",
      ]);
    },
  );

  test("unit tests, generated files and other kinds need no sentence", () => {
    expect(overruns("src/a.test.ts", lines(1))).toEqual([]);
    expect(overruns("agent/gen/abi.h", lines(900))).toEqual([]);
    expect(overruns("docs/a.md", lines(900))).toEqual([]);
  });
});
