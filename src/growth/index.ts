/** What the rest of the host uses of the growth verdict. */
export { type JudgeOptions, judge } from "./judge.js";
