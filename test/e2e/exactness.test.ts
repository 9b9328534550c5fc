/**
 * Exact at quiescence: ninety threads that allocate in every way there is, and edleak's counts, read from
 * another process, are those of the program's own log, bit for bit; over four allocators.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LOSSES } from "../../src/contract/segment.js";
import type { Slice } from "../../src/contract/slice.js";
import type { AllocerSeries } from "../../src/contract/verdict.js";
import { amounts, readLog, type SiteFigures } from "./ground-truth-log.js";
import { DrivenTarget, findLibrary, type NamedResult, ROOT } from "./harness.js";

const PROGRAM = join(ROOT, "build/test/ground-truth");
/** Milliseconds after which something is stuck; mimalloc needs 10 s of processor time. */
const DEADLINE_MS = 240_000;
/** Sites that make nothing: their calls can't succeed, or free what they are given. */
const BARREN = ["at_realloc_impossible", "at_realloc_nothing"];

/** Slices after which generations have been merged once, and twice. */
const [ONE_MERGE, TWO_MERGES] = [70, 150];

const ALLOCATORS = [
  { name: "glibc", library: null, package: "libc6", options: [], slices: [40, TWO_MERGES] },
  {
    name: "jemalloc",
    library: "libjemalloc.so.2",
    package: "libjemalloc2",
    options: ["--without=pvalloc"],
    slices: [ONE_MERGE],
  },
  {
    name: "tcmalloc",
    library: "libtcmalloc_minimal.so.4",
    package: "libtcmalloc-minimal4",
    options: [],
    slices: [ONE_MERGE],
  },
  {
    name: "mimalloc",
    library: "libmimalloc.so.2",
    package: "libmimalloc2.0",
    options: ["--without=realloc_impossible", "--any-alignment"],
    slices: [ONE_MERGE],
  },
];

/** What slices and series say of the allocer of a site. */
function figuresOf(
  result: NamedResult,
  slices: readonly Slice[],
  series: AllocerSeries,
): SiteFigures {
  const evidence = series.evidence!;
  const groups = Array.from(evidence.endTimes, (_, g) => g);
  let [allocBytes, freedBytes] = [0, 0];
  for (const { births, oldFrees } of slices) {
    births.allocer.forEach((id, row) => {
      if (id !== result.id) return;
      allocBytes += births.bytes[row]!;
      freedBytes += births.freedBytes[row]!;
    });
    oldFrees.allocer.forEach((id, row) => {
      if (id === result.id) freedBytes += oldFrees.bytes[row]!;
    });
  }
  const born = bornBytes(result.id, slices, evidence.shift);
  return {
    allocs: result.totalAllocs,
    allocBytes,
    frees: result.totalFrees,
    freedBytes,
    liveBlocks: result.liveBlocks,
    liveBytes: result.liveBytes,
    births: amounts(groups.map((g) => [g, evidence.allocCount[g]!, born.get(g) ?? 0])),
    live: amounts(groups.map((g) => [g, evidence.liveCount[g]!, evidence.liveBytes[g]!])),
    ages: Array.from(evidence.ageFrees),
  };
}

function bornBytes(id: number, slices: readonly Slice[], shift: number): Map<number, number> {
  const born = new Map<number, number>();
  for (const { births } of slices) {
    births.allocer.forEach((allocer, row) => {
      const group = births.birthSlice[row]! >>> shift;
      if (allocer === id) born.set(group, (born.get(group) ?? 0) + births.bytes[row]!);
    });
  }
  return born;
}

const sum = (values: Iterable<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

beforeAll(() => {
  execFileSync("make", ["--silent", "-C", join(ROOT, "test/leakers")]);
});

const TITLED = ALLOCATORS.map((it) => [`${it.name} (${it.package})`, it] as const);

describe.each(TITLED)("over %s", (_title, { library, options, slices }) => {
  const path = library === null ? null : findLibrary(library);
  const missing = library !== null && path === null;

  describe.skipIf(missing).each(slices)("after %d slices", (steps) => {
    let target: DrivenTarget;
    let logged: ReadonlyMap<string, SiteFigures>;
    let seen: ReadonlyMap<string, SiteFigures>;
    let named: readonly NamedResult[];

    beforeAll(async () => {
      const preload = path === null ? [] : [path];
      target = await DrivenTarget.start([PROGRAM, ...options], { preload });
      await target.run(steps, 1);
      const { modules } = target.pipeline;
      const ofProgram = ({ info }: { info: { moduleIndex: number | null } }): boolean =>
        info.moduleIndex !== null && (modules.get(info.moduleIndex)?.flags.executable ?? false);
      named = await target.named(ofProgram, false);
      const seriesOf = (id: number): AllocerSeries => target.pipeline.seriesOf(id)!;
      const shift = seriesOf(named[0]!.id).evidence!.shift;
      logged = readLog(await target.ask("report"), (step) => step >>> shift);
      seen = new Map(
        named.map((result) => [
          result.function,
          figuresOf(result, target.slices, seriesOf(result.id)),
        ]),
      );
    }, DEADLINE_MS);
    afterAll(() => target?.end());

    test("each call site that made a block is one allocer, and there is no other", () => {
      const made = [...logged].filter(([, figures]) => figures.allocs > 0).map(([site]) => site);
      const idle = [...logged.keys()].filter((site) => !made.includes(site));
      const leftOut = options.map((option) => option.replace("--without=", "at_"));
      expect(idle.filter((site) => !BARREN.includes(site) && !leftOut.includes(site))).toEqual([]);
      expect(named.map((result) => result.function).sort()).toEqual(made.sort());
    });

    test("allocs, frees, live blocks and bytes, births, survivors and ages are those of the log", () => {
      expect(sum([...logged.values()].map(({ allocs }) => allocs))).toBeGreaterThan(steps * 2500);
      expect(sum([...logged.values()].map(({ frees }) => frees))).toBeGreaterThan(steps * 2500);
      const made = [...logged].filter(([, { allocs }]) => allocs > 0);
      expect(Object.fromEntries(made.map(([site]) => [site, seen.get(site)]))).toEqual(
        Object.fromEntries(made),
      );
    });

    test("sums over generations and ages are the totals", () => {
      for (const { id, totalAllocs, totalFrees, liveBlocks, liveBytes } of named) {
        const evidence = target.pipeline.seriesOf(id)!.evidence!;
        expect(sum(Array.from(evidence.allocCount))).toBe(totalAllocs);
        expect(sum(Array.from(evidence.liveCount))).toBe(liveBlocks);
        expect(sum(Array.from(evidence.liveBytes))).toBe(liveBytes);
        expect(sum(Array.from(evidence.ageFrees))).toBe(totalFrees);
      }
    });

    test("nothing was lost, guessed or found damaged", () => {
      const { losses } = target.slices.at(-1)!;
      for (const { name, harmless } of LOSSES) if (!harmless) expect(losses[name], name).toBe(0);
      expect(losses.unknownFrees).toBe(0);
      expect(losses.misdatedFrees).toBe(0);
      expect(target.owner.reader.approximate).toBe(0);
      expect(target.owner.reader.damaged).toBe(0);
    });
  });
});
