// The rule of the balance: on a measured healthy wrapper, and on simulated callers of known truth.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { SimulatedAllocer, seededRandom } from "../../test/support/simulated-allocer.js";
import type { AllocerSeries } from "../contract/verdict.js";
import { balanceOf } from "./balance.js";
import { judge, SPECIFIED_STEPS } from "./judge.js";
import { maturityOf } from "./maturity.js";

interface Line {
  readonly id: string;
  readonly t: readonly number[];
  readonly bytes: readonly number[];
  readonly count: readonly number[];
  readonly allocs: readonly number[];
  readonly frees: readonly number[];
  readonly evidence: {
    readonly slice: number;
    readonly shift: number;
    readonly alloc_count: readonly number[];
    readonly live_count: readonly number[];
    readonly live_bytes: readonly number[];
    readonly age_free_count: readonly number[];
  };
}

function seriesOf({ t, bytes, count, allocs, frees, evidence }: Line): AllocerSeries {
  const { slice, shift } = evidence;
  return {
    times: t,
    bytes,
    blocks: count,
    allocs,
    frees,
    evidence: {
      slice,
      shift,
      endTimes: evidence.live_count.map((_, g) => t[Math.min((g + 1) * 2 ** shift - 1, slice)]!),
      allocCount: evidence.alloc_count,
      liveCount: evidence.live_count,
      liveBytes: evidence.live_bytes,
      ageFrees: evidence.age_free_count,
    },
  };
}

const file = new URL("../../test/data/classifier/measured-redis.jsonl.gz", import.meta.url);
const measured = gunzipSync(readFileSync(file))
  .toString("utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Line);

test("a wrapper whose live blocks stay as many is healthy, although blocks of every age stay", () => {
  expect(measured).toHaveLength(2);
  for (const line of measured) {
    const series = seriesOf(line);
    expect(judge(series, { steps: SPECIFIED_STEPS }).state).toBe("confirmed");
    const verdict = judge(series);
    expect(["stable", "filling"]).toContain(verdict.state);
    expect(verdict.path).toBe("balance");
    expect(verdict.sentence).toMatch(
      /^Older blocks are freed as fast as new ones stay: its .* live blocks/,
    );
  }
});

/** Sixty slices of one caller: so many blocks a slice that live 1 to 20 slices, and so many that are never freed. */
function simulated(traffic: number, leaked: number): AllocerSeries {
  const random = seededRandom(7);
  const allocer = new SimulatedAllocer();
  const due = new Map<number, ReturnType<SimulatedAllocer["alloc"]>[]>();
  for (let slice = 0; slice < 60; slice++) {
    for (const block of due.get(slice) ?? []) allocer.free(block);
    for (let i = 0; i < leaked; i++) allocer.alloc(64);
    for (let i = 0; i < traffic; i++) {
      const end = slice + 1 + Math.floor(random() * 20);
      due.set(end, [...(due.get(end) ?? []), allocer.alloc(64)]);
    }
    allocer.slice();
  }
  return allocer.series();
}

test.each([
  [0, 5],
  [50, 5],
  [200, 20],
])("a leak is in balance with what it leaves, under %i blocks of traffic", (traffic, leaked) => {
  const series = simulated(traffic, leaked);
  const { evidence } = series;
  if (evidence === null) throw new Error("the simulation keeps evidence");
  expect(balanceOf(series, maturityOf(evidence))).toBeGreaterThan(0.6);
  expect(["likely", "confirmed"]).toContain(judge(series).state);
});

test("without evidence by generation the balance says nothing", () => {
  const series = simulated(0, 5);
  const { evidence } = series;
  if (evidence === null) throw new Error("the simulation keeps evidence");
  expect(balanceOf({ ...series, evidence: null }, maturityOf(evidence))).toBe(1);
});
