/** (Module, address) to frames: the public face of this folder. */
export type { ElfRefusal } from "./byte-source.js";
export type { SymbolRequest } from "./compose-frames.js";
export { type ElfFacts, FACT_NAMES, readElfFacts } from "./elf-facts.js";
export { findLineTools, type LineToolPaths } from "./find-line-tools.js";
export { helperEnv } from "./helper-env.js";
export { perfMapPath } from "./perf-map.js";
export { stackLabel } from "./stack-label.js";
export { Symbolizer, type SymbolizerOptions } from "./symbolizer.js";
