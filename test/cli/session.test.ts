// What a run finds out: exact counts, the last state, and what it says of programs that it can't see.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { AllocerReport, ProcessReport, RunReport } from "../../src/contract/report.js";
import { compileProgram, edleakRun, leftBehind, scratch } from "./harness.js";
import { childrenOf, moreSlices, programOf, startPuppet } from "./puppet.js";

const here = scratch("session");

beforeAll(() => {
  compileProgram(here, "puppet", ["-g"]);
});

interface Measured {
  readonly code: number | null;
  readonly stderr: string;
  readonly process: ProcessReport;
}

/** Runs a program to its end and reads the JSON report. */
async function measure(
  program: readonly string[],
  input = "",
  options: readonly string[] = [],
): Promise<Measured> {
  const json = join(here.folder, "report.json");
  const end = await edleakRun(here, ["--json", json, ...options], program, { input });
  const report = JSON.parse(readFileSync(json, "utf8")) as RunReport;
  expect(report.processes).toHaveLength(1);
  return { code: end.code, stderr: end.stderr, process: report.processes[0] as ProcessReport };
}

const allocer = ({ process }: Measured, name: string): AllocerReport | undefined =>
  process.allocers.find(({ frames }) => frames.some((frame) => frame.function === name));

describe("the counts", () => {
  test("are exact, and named with function, file and line", async () => {
    const measured = await measure(["./puppet"], "leak 7 100\nwork 500 32\nleak 3 50\nexit 2\n");
    const { process } = measured;
    const line = readFileSync(join(import.meta.dirname, "programs/puppet.c"), "utf8")
      .split("\n")
      .findIndex((text) => text.includes("char *volatile lost = malloc"));
    expect(process).toMatchObject({
      exe: join(here.folder, "puppet"),
      argv: ["./puppet"],
      exit: { code: 2, signal: null },
      periodSeconds: 1,
      totals: { allocs: 510, frees: 500, liveBlocks: 10, liveBytes: 850 },
      coverage: { seen: 1, lost: {}, lostEvents: 0, events: 1010 },
    });
    expect(allocer(measured, "leak")).toMatchObject({
      liveBytes: 850,
      liveBlocks: 10,
      totalAllocs: 10,
      totalFrees: 0,
    });
    expect(allocer(measured, "leak")?.frames.at(-1)).toMatchObject({
      file: expect.stringMatching(/programs\/puppet\.c$/),
      line: line + 1,
    });
    expect(leftBehind(here)).toEqual([]);
  });

  test("are the last state, also of a program that is gone before edleak looks", async () => {
    const { process, stderr } = await measure(["sh", "-c", "exit 0"]);
    expect(process.slices).toBeGreaterThanOrEqual(1);
    expect(process.verdict.state).toBe("undecided");
    expect(process.exe).toMatch(/sh$/);
    expect(stderr).toContain("Too short to judge");
  });

  test("are the last state after kill -9", async () => {
    const json = join(here.folder, "killed.json");
    const puppet = await startPuppet(here, ["--json", json, "--period", "1h"]);
    puppet.tell("leak 9 11");
    await puppet.said("leak 9");
    process.kill(puppet.pid, "SIGKILL");
    expect(await puppet.end).toMatchObject({ signal: "SIGKILL" });
    const report = JSON.parse(readFileSync(json, "utf8")) as RunReport;
    expect(report.processes[0]).toMatchObject({
      exit: { code: null, signal: "SIGKILL" },
      totals: { liveBlocks: 9, liveBytes: 99 },
    });
  });

  test("show no allocer of the agent's own", async () => {
    const { process } = await measure(["ls", "-lR", "/etc/default"]);
    expect(process.allocers.length).toBeGreaterThan(0);
    for (const { frames } of process.allocers)
      for (const { module } of frames) expect(module).not.toContain("libedleak");
  });
});

test("a segment directory may be given by a relative path", async () => {
  const json = join(here.folder, "relative.json");
  const end = await edleakRun(here, ["--json", json], ["./puppet"], {
    input: "leak 2 10\nexit 0\n",
    env: { EDLEAK_DIR: "segments" },
  });
  expect(end.code).toBe(0);
  const report = JSON.parse(readFileSync(json, "utf8")) as RunReport;
  expect(report.processes[0]).toMatchObject({ totals: { liveBytes: 20 } });
  expect(leftBehind(here)).toEqual([]);
});

describe("a program that replaces itself", () => {
  test("is followed: the report is about the last one", async () => {
    const { process } = await measure(["sh", "-c", "exec ./puppet"], "leak 4 10\nexit 0\n");
    expect(process).toMatchObject({
      exe: join(here.folder, "puppet"),
      totals: { liveBlocks: 4, liveBytes: 40, allocs: 4 },
    });
  });

  test("is followed while it is watched, and the report says so", async () => {
    const json = join(here.folder, "replaced.json");
    writeFileSync(join(here.folder, "twice"), "#!/bin/sh\nread go\nexec ./puppet\n", {
      mode: 0o700,
    });
    const end = await edleakRun(here, ["--json", json, "--period", "10ms"], ["./twice"], {
      input: "go\nleak 4 10\nexit 0\n",
    });
    expect(end.code).toBe(0);
    const report = JSON.parse(readFileSync(json, "utf8")) as RunReport;
    expect(report.processes[0]).toMatchObject({ totals: { liveBlocks: 4, allocs: 4 } });
  });

  test("without the agent is unseen", async () => {
    const options = ["--period", "10ms", "--json", join(here.folder, "env.json")];
    const program = ["env", "-i", "./puppet"];
    const puppet = await startPuppet(here, options, [], program);
    await puppet.said("without the agent");
    puppet.tell("exit 0");
    const end = await puppet.end;
    expect(end.stderr).toContain("UNSEEN");
    expect(end.stderr).toContain("did not get the agent");
  });
});

describe("what can't be seen", () => {
  test("memory that grows past malloc", async () => {
    const puppet = await startPuppet(here, ["--period", "10ms"]);
    await puppet.said("watching");
    puppet.tell("map 64");
    await puppet.said("map 64");
    await moreSlices(here, 2);
    puppet.tell("exit 0");
    const { stderr } = await puppet.end;
    expect(stderr).toMatch(
      /UNSEEN +Resident memory grew by 6\d(\.\d)? MB, but no allocation was seen/,
    );
  });

  test("a static program is refused; by force it runs, unseen", async () => {
    const path = compileProgram(here, "puppet", ["-static"], "static");
    const refused = await edleakRun(here, [], [path], { input: "exit 0\n" });
    expect(refused).toMatchObject({ code: 125, stdout: "" });
    expect(refused.stderr).toContain("is statically linked");
    const { process, code } = await measure([path], "exit 6\n", ["--force"]);
    expect(code).toBe(6);
    expect(process).toMatchObject({ verdict: { state: "unseen" }, allocers: [], slices: 0 });
    expect(process.verdict.sentence).toContain("is statically linked");
  });

  test("the heap of a language: one note says so", async () => {
    const { process } = await measure([globalThis.process.execPath, "-e", ";"]);
    expect(process.coverage.notes.join("\n")).toContain("JavaScript objects are not in malloc");
    expect(process.totals.allocs).toBeGreaterThan(1000);
  });
});

test("a script is watched as its interpreter", async () => {
  writeFileSync(join(here.folder, "script"), "#!/usr/bin/env sh\necho words\n", { mode: 0o700 });
  const { process } = await measure(["./script"]);
  expect(process.exe).toBe(
    execFileSync("readlink", ["-f", "/bin/sh"], { encoding: "utf8" }).trim(),
  );
});

test("two runs in one directory don't meet", async () => {
  const [one, other] = await Promise.all([
    startPuppet(here, ["--json", join(here.folder, "one.json")]),
    startPuppet(here, ["--json", join(here.folder, "other.json")]),
  ]);
  one.tell("leak 5 10");
  other.tell("leak 6 10");
  await Promise.all([one.said("leak 5"), other.said("leak 6")]);
  one.tell("exit 0");
  await one.end;
  other.tell("leak 1 10");
  await other.said("leak 1");
  other.tell("exit 0");
  await other.end;
  const blocks = (name: string): number =>
    (JSON.parse(readFileSync(join(here.folder, name), "utf8")) as RunReport).processes[0]?.totals
      .liveBlocks ?? -1;
  expect([blocks("one.json"), blocks("other.json")]).toEqual([5, 7]);
  expect(leftBehind(here)).toEqual([]);
});

test("what a killed host left behind is swept by the next run", async () => {
  const puppet = await startPuppet(here, []);
  await puppet.said("watching");
  const hosts = childrenOf(puppet.edleakPid).filter((pid) => programOf(pid) === "node");
  expect(hosts).toHaveLength(1);
  for (const host of hosts) process.kill(host, "SIGKILL");
  await puppet.said("unwatched");
  puppet.tell("exit 0");
  await puppet.end;
  expect(leftBehind(here).length).toBeGreaterThan(0);
  await edleakRun(here, ["--quiet"], ["true"]);
  expect(leftBehind(here)).toEqual([]);
});
