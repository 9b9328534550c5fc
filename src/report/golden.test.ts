/**
 * Reports as people see them, in test/golden/report/<what is special>/: input.json, options.json where the
 * options are special, expected.txt. After a wanted change: UPDATE_GOLDEN=1 npx vitest run src/report,
 * then read the difference. A missing expected.txt fails; a mismatch leaves expected.txt.actual beside it.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunReport } from "../contract/report.js";
import { renderText, type TextOptions } from "./text.js";

const FOLDER = join(import.meta.dirname, "../../test/golden/report");
const CASES = readdirSync(FOLDER).sort();
const DEFAULTS: TextOptions = { width: 80, colour: false, unicode: true };
const update = process.env.UPDATE_GOLDEN === "1";

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

function rendered(folder: string): string {
  const report = readJson(join(folder, "input.json")) as RunReport;
  const options = join(folder, "options.json");
  const special = existsSync(options) ? (readJson(options) as Partial<TextOptions>) : {};
  return renderText(report, { ...DEFAULTS, ...special });
}

describe("the report for people", () => {
  test("has its golden cases", () => {
    expect(CASES.length).toBeGreaterThanOrEqual(13);
  });

  test.each(CASES)("looks as expected: %s", (name) => {
    const folder = join(FOLDER, name);
    const [expected, actual] = [join(folder, "expected.txt"), join(folder, "expected.txt.actual")];
    const text = rendered(folder);
    if (update) writeFileSync(expected, text);
    expect(existsSync(expected), `${expected} is missing`).toBe(true);
    rmSync(actual, { force: true });
    if (text !== readFileSync(expected, "utf8")) writeFileSync(actual, text);
    expect(text).toBe(readFileSync(expected, "utf8"));
  });

  test("proposes a command that a shell reads as it is meant", () => {
    const report = readJson(join(FOLDER, "too-short/input.json")) as RunReport;
    const command = { edleak: "/opt/my tools/edleak", program: ["./it's", "a b"] };
    const text = renderText(report, { ...DEFAULTS, command });
    expect(text).toContain("'/opt/my tools/edleak' run --period 50ms -- './it'\\''s' 'a b'\n");
  });
});
