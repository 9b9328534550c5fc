// Each record of docs/decisions has what a record has, and stands in the table.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./process.mjs";

const folder = join(root, "docs/decisions");
const records = readdirSync(folder).filter((name) => /^\d{4}-.+\.md$/.test(name));
const table = readFileSync(join(folder, "README.md"), "utf8");

test("there are records, and no two with one number", () => {
  const numbers = new Set(records.map((name) => name.slice(0, 4)));
  expect(records.length).toBeGreaterThan(1);
  expect(numbers.size).toBe(records.length);
});

test.each(records)("%s has its parts and stands in the table", (name) => {
  const text = readFileSync(join(folder, name), "utf8");
  const [, number, title] = /^# (\d{4}): (.+)\n/.exec(text) ?? [];
  const [, status] =
    /^- Status: (proposed|accepted|replaced by .+)\n- Date: \d{4}-\d\d-\d\d\n/m.exec(text) ?? [];
  expect(number).toBe(name.slice(0, 4));
  expect(table).toContain(`| [${number}](${name}) | ${title} | ${status} |`);
  const parts = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(parts).toEqual(["Context", "Decision", "Alternatives", "Consequences"]);
});
