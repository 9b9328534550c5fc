/** `edleak env`: the variables that load the agent, as lines for a shell to eval. */
import { agentEnvironment } from "../session/agent-environment.js";
import { toStdout } from "./streams.js";

/** In single quotes nothing is special to a shell but the quote itself. */
const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

export function env(): number {
  const lines = Object.entries(agentEnvironment()).map(
    ([name, value]) => `export ${name}=${quoted(value)}\n`,
  );
  toStdout(lines.join(""));
  return 0;
}
