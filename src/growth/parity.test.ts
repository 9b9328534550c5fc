/**
 * The verdict against the reference implementation of its specification: on a sample with recorded
 * answers, and on the whole of the labelled data where that is at hand.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { AllocerSeries, GrowthClass, State, Verdict } from "../contract/verdict.js";
import { isGrowing } from "./finding.js";
import { judge, SPECIFIED_STEPS } from "./judge.js";
import { stateOfScore } from "./states.js";
import { threshold } from "./thresholds.js";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const SAMPLE = join(ROOT, "test/data/classifier");
const FULL = process.env.EDLEAK_CLASSIFIER_DATA ?? join(ROOT, "../shared/classifier");
const SETS = ["uniform", "realistic"] as const;

/** Score, class and rate as the reference gives them. */
interface Answer {
  readonly score: number;
  readonly class: GrowthClass;
  readonly rate: number;
}

/** Evidence as the data files write it, after one slice. */
interface Snapshot {
  readonly slice: number;
  readonly shift: number;
  readonly alloc_count: readonly number[];
  readonly live_count: readonly number[];
  readonly live_bytes: readonly number[];
  readonly age_free_count: readonly number[];
}

interface Curves {
  readonly id: string;
  readonly t: readonly number[];
  readonly bytes: readonly number[];
  readonly count: readonly number[];
  readonly allocs: readonly number[];
  readonly frees: readonly number[];
}

interface Case {
  readonly id: string;
  readonly series: AllocerSeries;
  readonly answer: Answer;
}

function linesOf<T>(file: string): T[] {
  const text = gunzipSync(readFileSync(file)).toString("utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);
}

function seriesOf(curves: Curves, snapshot: Snapshot): AllocerSeries {
  const { slice, shift } = snapshot;
  const endOf = (g: number): number => curves.t[Math.min((g + 1) * 2 ** shift - 1, slice)]!;
  return {
    times: curves.t,
    bytes: curves.bytes,
    blocks: curves.count,
    allocs: curves.allocs,
    frees: curves.frees,
    evidence: {
      slice,
      shift,
      endTimes: snapshot.live_count.map((_, g) => endOf(g)),
      allocCount: snapshot.alloc_count,
      liveCount: snapshot.live_count,
      liveBytes: snapshot.live_bytes,
      ageFrees: snapshot.age_free_count,
    },
  };
}

type SampleLine = Curves & { readonly evidence: Snapshot; readonly expected: Answer };

const sampleOf = (set: string): Case[] =>
  linesOf<SampleLine>(join(SAMPLE, `sample-${set}.jsonl.gz`)).map((line) => ({
    id: line.id,
    series: seriesOf(line, line.evidence),
    answer: line.expected,
  }));

type FullLine = Curves & { readonly generations: { readonly snapshots: readonly Snapshot[] } };
type Classify = (line: FullLine) => { score: number; cls: GrowthClass; rate: number };

async function fullOf(set: string): Promise<Case[]> {
  const reference = await import(pathToFileURL(join(FULL, "reference.mjs")).href);
  const classify: Classify = reference.classify;
  return linesOf<FullLine>(join(FULL, `dev-${set}.jsonl.gz`)).map((line) => {
    const { score, cls, rate } = classify(line);
    const series = seriesOf(line, line.generations.snapshots.at(-1)!);
    return { id: line.id, series, answer: { score, class: cls, rate } };
  });
}

/** A growing container's class is linear at least; the reference may still call it const. */
const classOf = ({ score, class: cls }: Answer): GrowthClass =>
  score > threshold.suspectScore && !isGrowing(cls) ? "linear" : cls;

const far = (a: number, b: number, relative: number): boolean =>
  Math.abs(a - b) > relative * Math.max(1, Math.abs(b));

/** Where score, class or rate differ, one line each. */
function differences(cases: readonly Case[]): string[] {
  return cases.flatMap(({ id, series, answer }) => {
    const verdict = judge(series, { exact: true, steps: SPECIFIED_STEPS });
    const found: string[] = [];
    if (far(verdict.score, answer.score, 1e-6)) {
      found.push(`${id}: score ${verdict.score}, reference ${answer.score}`);
    }
    if (verdict.state === "undecided") return found;
    if (verdict.class !== classOf(answer)) {
      found.push(`${id}: class ${verdict.class}, reference ${answer.class}`);
    }
    const leaks = answer.score > threshold.suspectScore;
    if (leaks && far(verdict.rate.rate, answer.rate, 1e-6)) {
      found.push(`${id}: rate ${verdict.rate.rate}, reference ${answer.rate}`);
    }
    return found;
  });
}

interface Change {
  readonly id: string;
  readonly from: State;
  readonly to: Verdict;
}

/** Where the state isn't the one that the reference's score and class would give. */
function changedStates(cases: readonly Case[]): Change[] {
  return cases.flatMap(({ id, series, answer }) => {
    const to = judge(series);
    const from = stateOfScore(answer.score, answer.class);
    return from === to.state ? [] : [{ id, from, to }];
  });
}

const listed = (changes: readonly Change[]): string[] =>
  changes.map(
    ({ id, from, to }) => `${id}: ${from} -> ${to.state}, ${to.facts.growthEvents} events`,
  );

describe("on the sample, the verdict is that of the reference", () => {
  test.each([
    ["uniform", 150],
    ["realistic", 600],
  ] as const)("score, class and rate of dev-%s", (set, count) => {
    const cases = sampleOf(set);
    expect(cases).toHaveLength(count);
    expect(differences(cases)).toEqual([]);
  });

  test("states differ only where there are too few growth events for the score's own word", () => {
    expect(listed(changedStates(SETS.flatMap(sampleOf)))).toEqual([
      "2101:40:leak_staircase: likely -> suspect, 5 events",
      "2101:630:leak_slow_noise: stable -> undecided, 3 events",
    ]);
  });

  test("the sample holds every state that a score can give", () => {
    const states = SETS.flatMap(sampleOf).map(({ answer }) =>
      stateOfScore(answer.score, answer.class),
    );
    expect([...new Set(states)].sort()).toEqual(
      ["confirmed", "filling", "likely", "stable", "suspect"].sort(),
    );
  });
});

const missing = ["reference.mjs", "dev-uniform.jsonl.gz", "dev-realistic.jsonl.gz"].filter(
  (file) => !existsSync(join(FULL, file)),
);
const needs = missing.length > 0 ? ` (missing: ${missing.join(", ")}; EDLEAK_CLASSIFIER_DATA)` : "";

describe.skipIf(missing.length > 0)(`on all labelled data too${needs}`, () => {
  test.each([
    ["uniform", 1500],
    ["realistic", 6000],
  ] as const)(
    "every score, class and rate of dev-%s, and all but 0.5 per cent of the states",
    async (set, count) => {
      const cases = await fullOf(set);
      expect(cases).toHaveLength(count);
      expect(differences(cases)).toEqual([]);
      const changes = changedStates(cases);
      expect(changes.length, listed(changes).join("\n")).toBeLessThanOrEqual(0.005 * count);
      const unexplained = changes.filter(
        ({ to }) => to.facts.growthEvents >= threshold.minEvents && to.path !== "balance",
      );
      expect(listed(unexplained)).toEqual([]);
    },
  );
});
