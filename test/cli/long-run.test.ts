// What happens to a program and its host in the course of a long run: renamed, signalled as a tree, with many children.
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { RunReport } from "../../src/contract/report.js";
import { loadableAgent } from "../../src/session/loadable-agent.js";
import { compileProgram, leftBehind, ROOT, scratch } from "./harness.js";
import { childrenOf, moreSlices, programOf, startPuppet } from "./puppet.js";

const here = scratch("long-run");
const json = join(here.folder, "report.json");
const QUICK = ["--period", "0.02", "--json", json];

beforeAll(() => {
  compileProgram(here, "puppet", ["-g"]);
  compileProgram(here, "puppet", ["-g"], "renamed");
});

const reported = () => (JSON.parse(readFileSync(json, "utf8")) as RunReport).processes[0];

test("a program that is renamed while it runs is still the one that is watched", async () => {
  const puppet = await startPuppet(here, QUICK, [], ["./renamed"]);
  await moreSlices(here, 2);
  renameSync(join(here.folder, "renamed"), join(here.folder, "renamed.old"));
  puppet.tell("leak 5 100");
  await moreSlices(here, 4);
  puppet.tell("exit 0");
  expect((await puppet.end).code).toBe(0);
  expect(reported()?.verdict.state).not.toBe("unseen");
  expect(reported()?.totals).toMatchObject({ liveBlocks: 5, liveBytes: 500 });
});

test("a signal to every process of the tree loses no report", async () => {
  const puppet = await startPuppet(here, QUICK);
  puppet.tell("leak 3 100");
  await moreSlices(here, 2);
  const host = childrenOf(puppet.edleakPid).find((pid) => programOf(pid).includes("node"));
  if (host === undefined) throw new Error("the host runs beside the target");
  process.kill(host, "SIGTERM");
  await moreSlices(here, 2);
  puppet.signal("SIGTERM");
  const end = await puppet.end;
  expect(end.stderr).toMatch(/300 B live in 3 blocks/);
  expect(reported()?.totals).toMatchObject({ liveBlocks: 3, liveBytes: 300 });
  expect(leftBehind(here)).toEqual([]);
});

test("what outlives a run is swept by the next one", async () => {
  const agent = loadableAgent(join(ROOT, "build/libedleak.so"), here.env);
  const env = { ...here.env, LD_PRELOAD: agent, EDLEAK_RUN: "0123456789abcdef" };
  execFileSync("true", { env });
  expect(leftBehind(here)).toHaveLength(1);
  const puppet = await startPuppet(here, QUICK);
  puppet.tell("exit 0");
  await puppet.end;
  expect(leftBehind(here)).toEqual([]);
});
