/** (Module, address) to frames: the public face of this folder. */
export type { ElfRefusal } from "./byte-source.js";
export { type ElfFacts, FACT_NAMES, readElfFacts } from "./elf-facts.js";
