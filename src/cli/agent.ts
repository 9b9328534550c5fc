/** `edleak agent`: the path of the agent's library. */
import { builtAgent } from "../session/installation.js";
import { toStdout } from "./streams.js";

export function agent(): number {
  toStdout(`${builtAgent()}\n`);
  return 0;
}
