// One report that can't be made doesn't cost the other.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RunReport } from "../contract/report.js";
import { parseCommandLine } from "./command-line.js";
import { OutputFile } from "./output-file.js";
import { writeReports } from "./watch-and-report.js";

const folder = mkdtempSync(join(tmpdir(), "edleak-reports-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a JSON report that is too large leaves the text report, and is a failure", async () => {
  const path = (name: string): string => join(folder, name);
  const outputs = {
    json: new OutputFile(path("out.json"), "--json"),
    report: new OutputFile(path("out.txt"), "--report"),
  };
  const version = {
    toJSON: () => {
      throw new RangeError("Invalid string length");
    },
  };
  const report = { edleak: { version, schema: 1 }, processes: [] } as unknown as RunReport;
  const request = parseCommandLine(["node", "edleak", "run", "--", "true"], "0.1.0");
  if (request.command !== "run") throw new Error("Not a run");
  const nobody = { terminal: () => Promise.reject(new Error("Nobody asks")) };
  expect(await writeReports(nobody, report, request, outputs)).toBe(false);
  expect(existsSync(path("out.json"))).toBe(false);
  expect(readFileSync(path("out.txt"), "utf8")).not.toBe("");
});
