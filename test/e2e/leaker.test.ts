/** The bundled leaker of the demo: what its head comment says is what edleak says. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DrivenTarget, type NamedResult, ROOT } from "./harness.js";

const FOLDER = join(ROOT, "examples/leaker");
const TICKS_PER_SECOND = 50;
const SECONDS = 20;

interface Truth {
  readonly state: string;
  readonly function: string;
  readonly place: string;
  readonly class: string;
  /** Bytes per second, null when it has none that is constant. */
  readonly rate: number | null;
}

function readTruth(): readonly Truth[] {
  const head = readFileSync(join(FOLDER, "leaker.cc"), "utf8");
  const lines = head.matchAll(/^\/\/ truth: +(\w+) +(\w+) +(\S+:\d+) +(\w+) +(\d+|-) /gm);
  return Array.from(lines, ([, state = "", name = "", place = "", cls = "", rate]) => ({
    state,
    function: `server::${name}`,
    place,
    class: cls,
    rate: rate === "-" ? null : Number(rate),
  }));
}

const TRUTH = readTruth();
const TITLED = TRUTH.map((it) => [`${it.function} is ${it.state} at ${it.place}`, it] as const);

test("the truth is complete and names lines that allocate", () => {
  expect(TRUTH.map(({ state }) => state)).toEqual([
    ...Array(3).fill("confirmed"),
    ...Array(2).fill("filling"),
    ...Array(2).fill("stable"),
  ]);
  for (const { place } of TRUTH) {
    const [file = "", line] = place.split(":");
    const text = readFileSync(join(FOLDER, file), "utf8").split("\n")[Number(line) - 1];
    expect(text, place).toMatch(/malloc\(|= new |return new /);
  }
});

describe.each([0.25, 1])("with a slice every %d s", (period) => {
  let target: DrivenTarget;
  let named: readonly NamedResult[];

  beforeAll(async () => {
    execFileSync("make", ["--silent", "-C", FOLDER]);
    target = await DrivenTarget.start(
      [join(ROOT, "build/examples/leaker"), "--steps-from-fd", "0"],
      { secondsPerSlice: period },
    );
    // 12.5 ticks do not exist: every other slice gets one tick more.
    for (let done = 0, i = 1; i <= SECONDS / period; i++) {
      const due = Math.round(i * period * TICKS_PER_SECOND);
      await target.steps(due - done);
      done = due;
      target.slice();
    }
    target.pipeline.finish();
    named = await target.named();
  });
  afterAll(() => target?.end());

  test.each(TITLED)("%s", (_title, truth) => {
    const found = named.filter(({ place }) => place === truth.place);
    expect(found).toHaveLength(1);
    const [{ function: name, verdict }] = found as [NamedResult];
    expect(name).toBe(truth.function);
    expect({ state: verdict.state, class: verdict.class }, verdict.sentence).toEqual({
      state: truth.state,
      class: truth.class,
    });
    if (truth.rate !== null) expect(verdict.rate.rate / truth.rate).toBeCloseTo(1, 1);
  });

  test("nothing else is suspect or worse", () => {
    const worse = named.filter(({ verdict }) =>
      ["suspect", "likely", "confirmed"].includes(verdict.state),
    );
    const leaks = TRUTH.filter(({ state }) => state === "confirmed");
    expect(worse.map(({ place }) => place).sort()).toEqual(leaks.map(({ place }) => place).sort());
  });

  test("the leaks are a needle among healthy traffic", () => {
    const { allocs, frees } = target.pipeline.totals;
    expect(allocs).toBeGreaterThan(SECONDS * 50_000);
    expect(frees / allocs).toBeGreaterThan(0.99);
  });
});
