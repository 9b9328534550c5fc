/** The variables that load the agent into a program. */
import { builtAgent } from "./installation.js";
import { loadableAgent } from "./loadable-agent.js";
import { absolutePath } from "./working-folder.js";

/** Is this entry of LD_PRELOAD an agent of ours (of this or another installation)? */
const isAgent = (entry: string): boolean => /(^|\/)libedleak[^/]*\.so$/.test(entry);

/**
 * Variables for a program that somebody else starts; throws NOT_BUILT or NO_AGENT_COPY.
 * What LD_PRELOAD holds already is kept, behind the agent.
 */
export function agentEnvironment(
  env: NodeJS.ProcessEnv = process.env,
): Readonly<Record<string, string>> {
  const agent = loadableAgent(builtAgent(), env);
  const others = (env.LD_PRELOAD ?? "").split(/[\s:]+/).filter((entry) => entry && !isAgent(entry));
  const variables: Record<string, string> = { LD_PRELOAD: [agent, ...others].join(":") };
  if (env.EDLEAK_DIR) variables.EDLEAK_DIR = absolutePath(env.EDLEAK_DIR);
  return variables;
}
