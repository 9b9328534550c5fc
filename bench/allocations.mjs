// What the segments of a finished run say in total; the benchmarks assert it, so that an agent that counts nothing fails.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { GenerationPlan, openSegment, SegmentReader } from "../dist/segment/index.js";

/** Allocations counted by all processes whose segments are in this directory. */
export function allocationsOf(directory) {
  let total = 0;
  for (const name of readdirSync(directory)) {
    const opened = openSegment(join(directory, name));
    if (!opened.ok) throw new Error(`segment ${name}: ${JSON.stringify(opened.reason)}`);
    const slice = new SegmentReader(opened.value, new GenerationPlan()).read(0, 0);
    opened.value.close();
    if (!slice.ok) throw new Error(`segment ${name}: ${JSON.stringify(slice.reason)}`);
    for (const blocks of slice.value.births.blocks) total += blocks;
  }
  return total;
}
