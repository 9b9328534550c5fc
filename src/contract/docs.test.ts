/** The documents for users say what the contract says, and their links lead somewhere. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXCLUSIVE_SHARDS, MAX_ALLOCERS, MIN_SLICES } from "./limits.js";
import { ENVIRONMENT, RUN_OPTIONS } from "./options.js";
import { PROCESS_STATES, STATES } from "./verdict.js";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const DOCUMENTS = ["", "docs", "docs/formats", "docs/decisions", "examples"].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".md") && name !== "template.md")
    .map((name) => join(folder, name)),
);

/** First cells of a Markdown table's rows, without the code marks. */
const firstCells = (text: string): string[] =>
  [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = ""]) => cell);

describe("documents", () => {
  test.each(DOCUMENTS)("links in %s lead to files that exist", (path) => {
    const targets = [...read(path).matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, to]) => to);
    for (const to of targets) {
      const file = join(ROOT, dirname(path), to ?? "");
      expect(existsSync(file), `${path} links to ${to}`).toBe(true);
    }
  });

  test("docs/run.md lists every option of run with its default", () => {
    const text = read("docs/run.md");
    const options = Object.values(RUN_OPTIONS);
    expect(firstCells(text)).toEqual(
      options.map(({ flag, placeholder }) => [flag, placeholder].filter((s) => s !== "").join(" ")),
    );
    for (const option of options) {
      const row = text.split("\n").find((line) => line.startsWith(`| \`${option.flag}`));
      if (option.default !== null) expect(row).toContain(`| \`${option.default}\` |`);
    }
  });

  test("README.md lists every variable that edleak reads or sets", () => {
    const [, table = ""] = /^## Environment\n([^#]*)/m.exec(read("README.md")) ?? [];
    const listed = [...table.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name);
    expect(Object.keys(ENVIRONMENT).length).toBeGreaterThan(3);
    expect(listed).toEqual(expect.arrayContaining(Object.keys(ENVIRONMENT)));
  });

  test("docs/verdicts.md explains every state", () => {
    expect(firstCells(read("docs/verdicts.md"))).toEqual([
      ...STATES.toReversed(),
      "const",
      "log",
      "linear",
      "exp",
      ...PROCESS_STATES,
    ]);
    expect(read("docs/verdicts.md")).toContain(`before ${MIN_SLICES} slices`);
  });

  test("docs/agent.md has the agent's limits", () => {
    const text = read("docs/agent.md").replaceAll(/(?<=\d) (?=\d{3})/g, "");
    expect(text).toContain(`${MAX_ALLOCERS} allocers`);
    expect(text).toContain(`beyond ${EXCLUSIVE_SHARDS} share`);
  });
});
