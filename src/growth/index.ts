/** What the rest of the host uses of the growth verdict. */
export { canGrow } from "./generations.js";
export { type JudgeOptions, judge } from "./judge.js";
export { stateOfScore } from "./states.js";
export { THRESHOLDS, type Threshold, type ThresholdName } from "./thresholds.js";
