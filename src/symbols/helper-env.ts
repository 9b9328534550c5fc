/** The environment of edleak's own helpers: without the agent, without downloads, in plain English. */

/**
 * A copy of `env` for a helper process: no LD_PRELOAD and no EDLEAK_*, so that a helper is never
 * watched; DEBUGINFOD_URLS empty, so that a look-up never waits for a network.
 */
export function helperEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => name !== "LD_PRELOAD" && !name.startsWith("EDLEAK_"),
  );
  return { ...Object.fromEntries(kept), DEBUGINFOD_URLS: "", LC_ALL: "C" };
}
