/**
 * Random programs with known leaks, from seeds: every leak is named, with its line where there is debug
 * information, and nothing else is called a leak.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { State } from "../../src/contract/verdict.js";
import { generate, type RandomProgram } from "../leakers/random/generate.js";
import { ITERATIONS_PER_SLICE } from "../leakers/random/plan.js";
import { DrivenTarget, type NamedResult } from "./harness.js";

/** Seeds to run; EDLEAK_SEEDS=21-200 tries others than those of the gate. */
const [FIRST = 1, LAST = 20] = (process.env.EDLEAK_SEEDS ?? "1-20").split("-").map(Number);
const SEEDS = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i);
const SLICES = 40;
const FLAGS = ["-std=c++17", "-O2", "-g", "-Wall", "-Wextra", "-Werror"];
const run = promisify(execFile);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "edleak-random-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Compiles the program; gives its path, and that of a copy that has symbols but no debug information. */
async function compile({ seed, source }: RandomProgram): Promise<readonly [string, string]> {
  const program = join(folder, `random-${seed}`);
  const stripped = `${program}-stripped`;
  writeFileSync(`${program}.cc`, source);
  await run(process.env.CXX ?? "c++", [...FLAGS, "-o", program, `${program}.cc`]);
  await run("strip", ["--strip-debug", "-o", stripped, program]);
  return [program, stripped];
}

const isLeak = ({ verdict }: { verdict: { state: State } }): boolean =>
  verdict.state === "likely" || verdict.state === "confirmed";

/** What is called a leak after all slices. */
async function findLeaks(program: string): Promise<readonly NamedResult[]> {
  const target = await DrivenTarget.start([program]);
  try {
    await target.run(SLICES, ITERATIONS_PER_SLICE);
    target.pipeline.finish();
    expect(target.pipeline.totals.allocs).toBeGreaterThan(SLICES * 1000);
    return await target.named(isLeak);
  } finally {
    await target.end();
  }
}

describe("the generator", () => {
  const programs = SEEDS.map(generate);
  const truth = programs.flatMap((program) => program.truth);
  const leaks = truth.filter(({ kind }) => kind === "leak");

  test("is a pure function of the seed", () => {
    expect(SEEDS.map(generate)).toEqual(programs);
    expect(new Set(programs.map(({ source }) => source)).size).toBe(SEEDS.length);
  });

  test("covers 0 to 3 leaks, depths of 3 to 12, and every healthy kind", () => {
    const leaksIn = (program: RandomProgram): number =>
      program.truth.filter(({ kind }) => kind === "leak").length;
    expect(new Set(programs.map(leaksIn))).toEqual(new Set([0, 1, 2, 3]));
    expect(leaks.length).toBeGreaterThan(SEEDS.length);
    expect(Math.min(...truth.map(({ depth }) => depth))).toBe(3);
    expect(Math.max(...truth.map(({ depth }) => depth))).toBe(12);
    for (const kind of ["temporary", "session", "cache", "pool", "batch"])
      expect(truth.filter((site) => site.kind === kind).length, kind).toBeGreaterThan(5);
  });

  test("puts leaks into functions that healthy traffic uses too", () => {
    const shared = leaks.filter((leak) =>
      truth.some((other) => other.kind !== "leak" && other.function === leak.function),
    );
    expect(shared.length).toBeGreaterThan(leaks.length / 4);
  });
});

const DEADLINE = { timeout: 240_000 };
test.concurrent.each(SEEDS)(
  "seed %i: all leaks are named, and nothing else",
  DEADLINE,
  async (seed) => {
    const program = generate(seed);
    const [withDebug, stripped] = await compile(program);
    const leaks = program.truth.filter(({ kind }) => kind === "leak");

    const found = await findLeaks(withDebug);
    expect(found.map((leak) => `${leak.function} ${leak.place}`).sort()).toEqual(
      leaks.map((leak) => `${leak.function} random-${seed}.cc:${leak.line}`).sort(),
    );
    for (const leak of leaks) {
      const { rate } = found.find(({ place }) => place.endsWith(`:${leak.line}`))!.verdict;
      const truth = leak.lostBytes * ITERATIONS_PER_SLICE;
      expect(rate.rate / truth, `rate of ${leak.function}`).toBeGreaterThan(0.7);
      expect(rate.rate / truth, `rate of ${leak.function}`).toBeLessThan(1.4);
    }

    const foundStripped = await findLeaks(stripped);
    expect(foundStripped.map((leak) => `${leak.function} ${leak.place}`).sort()).toEqual(
      leaks.map((leak) => `${leak.function} `).sort(),
    );
  },
);
