/**
 * A real leak in a real program: jq 1.6 loses 76 bytes in two blocks each time `ltrimstr` meets something
 * that is no string. Fed with so many lines per slice, it is found, and without that filter jq is clean.
 */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { DrivenTarget, findProgram } from "./harness.js";

const JQ = findProgram("jq");
/** Other versions may have been mended. */
const missing =
  JQ === null || execFileSync(JQ, ["--version"], { encoding: "utf8" }).trim() !== "jq-1.6";

const SLICES = 40;
const LINES_PER_SLICE = 100;
const LOST_BYTES = 76;

/** Runs jq over numbers, a slice after each so many lines; `check` sees it at its end. */
async function feedNumbers(
  filter: string,
  check: (target: DrivenTarget) => Promise<void>,
): Promise<void> {
  const target = new DrivenTarget([JQ!, "--unbuffered", filter]);
  try {
    // The first answer says that it has started; slice 0 then holds how it was made ready.
    await target.feed("0\n", 1);
    target.attach();
    target.slice();
    for (let slice = 0; slice < SLICES; slice++) {
      const numbers = Array.from({ length: LINES_PER_SLICE }, (_, i) => slice * 1000 + i);
      const lines = await target.feed(`${numbers.join("\n")}\n`, LINES_PER_SLICE);
      expect(lines.map(Number)).toEqual(numbers);
      target.slice();
    }
    target.pipeline.finish();
    await check(target);
  } finally {
    await target.end();
  }
}

test.skipIf(missing)("jq 1.6: what ltrimstr loses is on top, with its rate", async () => {
  await feedNumbers('ltrimstr("x")', async (target) => {
    const [worst, ...others] = await target.named();
    expect(worst!.function).toBe("jv_mem_alloc");
    expect(worst!.verdict).toMatchObject({ state: "confirmed", class: "linear" });
    expect(worst!.verdict.rate.rate / (LINES_PER_SLICE * LOST_BYTES)).toBeCloseTo(1, 1);
    expect(worst!.liveBytes).toBeGreaterThan(SLICES * LINES_PER_SLICE * LOST_BYTES);
    for (const { verdict } of others) expect(["stable", "filling"]).toContain(verdict.state);
  });
});

test.skipIf(missing)("jq 1.6 without that filter is clean", async () => {
  await feedNumbers(".", async (target) => {
    expect(target.pipeline.totals.allocs).toBeGreaterThan(SLICES * LINES_PER_SLICE);
    for (const { verdict } of target.pipeline.results())
      expect(["stable", "filling"], verdict.sentence).toContain(verdict.state);
    expect(target.pipeline.processVerdict().state).toBe("clean");
  });
});
