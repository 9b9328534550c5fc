/** A real leak in a real library: what json-c 0.16 loses in json_object_set_string, named inside the library. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DrivenTarget, findLibrary, ROOT } from "./harness.js";

/** The file of version 0.16; other versions may have been mended. */
const LIBRARY = "libjson-c.so.5.2.0";
const missing = findLibrary(LIBRARY) === null || !existsSync("/usr/include/json-c/json.h");

const SLICES = 40;
const CYCLES_PER_SLICE = 25;
/** Length of the longer string and its end. */
const LOST_BYTES = 101;

test.skipIf(missing)("json-c 0.16 (libjson-c-dev): the lost strings are found", async () => {
  execFileSync("make", ["--silent", "-C", join(ROOT, "examples/json-c")]);
  const driver = join(ROOT, "build/examples/json-c");
  const target = await DrivenTarget.start([driver, "--steps-from-fd", "0"]);
  try {
    await target.run(SLICES, CYCLES_PER_SLICE);
    target.pipeline.finish();
    const [worst, ...others] = await target.named();

    const module = target.pipeline.modules.get(worst!.info.moduleIndex!)!;
    expect(module.path).toMatch(/libjson-c\.so/);
    expect(worst!.verdict).toMatchObject({ state: "confirmed", class: "linear" });
    expect(worst!.verdict.rate.rate).toBeCloseTo(CYCLES_PER_SLICE * LOST_BYTES);
    expect(worst!.liveBlocks).toBe(SLICES * CYCLES_PER_SLICE);
    expect(worst!.liveBytes).toBe(SLICES * CYCLES_PER_SLICE * LOST_BYTES);
    expect(worst!.totalFrees).toBe(0);
    expect(worst!.function).toMatch(/^(_?json_object_\w+)?$/);
    for (const { verdict } of others) expect(["stable", "filling"]).toContain(verdict.state);
  } finally {
    await target.end();
  }
});
