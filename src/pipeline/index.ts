/** Slices to verdicts: the public face of this folder. */
export { judge } from "../growth/index.js";
export { isCheckpoint } from "./checkpoints.js";
export { type Judge, Pipeline, type PipelineTotals, type PushOptions } from "./pipeline.js";
export type { AllocerResult } from "./ranking.js";
