// The import check finds what it is there to find; and its list is in order.
import { describe, expect, test } from "vitest";
import { disorder, importsOf, LAYERS, PACKAGES, picture, violations } from "./layers.mjs";

describe("importsOf", () => {
  test("finds every form of import and re-export", () => {
    const text = [
      'import "./side-effect.js";',
      'import plain from "./plain.js";',
      'import * as all from "./all.js";',
      'import { a, b as c } from "./named.js";',
      "import {",
      "  d, // why d",
      "  /* why e */ e,",
      '} from "./several-lines.js";',
      'import type { T } from "./types.js";',
      'import { type U } from "./inline.js";',
      'export { f } from "./re-export.js";',
      'export * from "./star.js";',
      'export type { V } from "./re-export-types.js";',
      'const late = await import("./late.js");',
      'let w: import("./in-a-type.js").W;',
    ].join("\n");
    const found = importsOf(text);
    expect(found.map(({ specifier }) => specifier)).toEqual([
      "./side-effect.js",
      "./plain.js",
      "./all.js",
      "./named.js",
      "./several-lines.js",
      "./types.js",
      "./inline.js",
      "./re-export.js",
      "./star.js",
      "./re-export-types.js",
      "./late.js",
      "./in-a-type.js",
    ]);
    const types = found.filter(({ typeOnly }) => typeOnly).map(({ specifier }) => specifier);
    expect(types).toEqual(["./types.js", "./re-export-types.js"]);
  });

  test("finds nothing in exports that import nothing", () => {
    const text = 'export const from = "a";\nexport { from as b };\nexport type C = { d: "e" };\n';
    expect(importsOf(text)).toEqual([]);
  });
});

describe("violations", () => {
  test.each([
    ["growth and symbols are siblings", "src/growth/a.ts", 'import { x } from "../symbols/x.js";'],
    ["data flows one way", "src/contract/a.ts", 'import { x } from "../base/x.js";'],
    ["types count too", "src/growth/a.ts", 'import type { X } from "../segment/x.js";'],
    [
      "session takes only types of growth",
      "src/session/a.ts",
      'import { x } from "../growth/x.js";',
    ],
    ["a re-export counts", "src/report/a.ts", 'export { x } from "../session/x.js";'],
    ["a late import counts", "src/pipeline/a.ts", 'await import("../cli/x.js");'],
    ["a computed import can't be checked", "src/cli/a.ts", "await import(name);"],
    ["neutral code has no Node", "src/growth/a.ts", 'import { readFileSync } from "node:fs";'],
    ["nothing outside src", "src/cli/a.ts", 'import x from "../../package.json";'],
    ["nothing of the tests", "src/cli/a.ts", 'import { x } from "../../test/support/x.js";'],
    ["nothing that is for tests", "src/cli/a.ts", 'import { x } from "./testing/x.js";'],
    ["nothing directly in src", "src/cli/a.ts", 'import x from "../index.js";'],
    ["packages have folders", "src/growth/a.ts", 'import { Command } from "commander";'],
    ["validators have none yet", "src/session/a.ts", 'import { z } from "zod";'],
    ["new folders are listed first", "src/helpers/a.ts", "export const x = 1;"],
    [
      "a test obeys the picture too",
      "src/growth/a.test.ts",
      'import { x } from "../symbols/x.js";',
    ],
  ])("%s", (_rule, path, text) => {
    const found = violations(path, text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(path);
  });

  test.each([
    ["src/session/a.ts", 'import { x } from "../segment/x.js";'],
    ["src/session/a.ts", 'import type { X } from "../growth/x.js";'],
    ["src/growth/rules/a.ts", 'import { x } from "../series.js";\nimport "../../base/x.js";'],
    ["src/segment/a.ts", 'import { openSync } from "node:fs";'],
    ["src/symbols/a.ts", 'await import("gecko-profiler-demangle/index_bg.js");'],
    [
      "src/growth/a.test.ts",
      'import fc from "fast-check";\nimport { readFileSync } from "node:fs";',
    ],
    ["src/growth/a.test.ts", 'import { x } from "../../test/support/x.js";'],
    ["src/growth/a.test.ts", 'import { x } from "./testing/x.js";'],
    ["src/growth/testing/a.ts", 'import { test } from "vitest";'],
  ])("%s may: %s", (path, text) => {
    expect(violations(path, text)).toEqual([]);
  });
});

describe("the list", () => {
  test("names only folders that stand above", () => {
    expect(disorder()).toEqual([]);
  });

  test("is refused when a folder names one below it", () => {
    const upward = [
      { folder: "contract", imports: ["base"] },
      { folder: "base", imports: [], types: ["nowhere"] },
    ];
    expect(disorder(upward)).toEqual([
      "contract lists base, which doesn't stand above it",
      "base lists nowhere, which doesn't stand above it",
    ]);
  });

  test("gives packages to folders that exist", () => {
    const folders = LAYERS.map(({ folder }) => folder);
    for (const owners of Object.values(PACKAGES)) {
      expect(folders).toEqual(expect.arrayContaining(owners));
    }
  });

  test("prints one line per folder", () => {
    expect(picture().split("\n")).toHaveLength(LAYERS.length);
    expect(picture()).toContain("pipeline  neutral  <- contract, base, growth");
  });
});
