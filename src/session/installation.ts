/** Where the parts of this installation are: the agent, the launcher, the version. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { edleakError } from "../base/edleak-error.js";

/** The package's folder: this file is dist/session/installation.js in it. */
const ROOT = resolve(import.meta.dirname, "../..");

/** The agent's library, which may not be built yet. */
export const AGENT_PATH = join(ROOT, "build/libedleak.so");

/** The launcher; built together with the agent, so machine and C library are the same. */
export const LAUNCHER_PATH = join(ROOT, "build/edleak-launch");

/** Version of edleak, from package.json. */
export function edleakVersion(): string {
  const text = readFileSync(join(ROOT, "package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
}

/** The agent's path; throws NOT_BUILT when there is none. */
export function builtAgent(): string {
  if (!existsSync(AGENT_PATH)) throw edleakError("NOT_BUILT", AGENT_PATH);
  return AGENT_PATH;
}
