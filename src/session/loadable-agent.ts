/**
 * A path of the agent that LD_PRELOAD can carry: the loader splits it at spaces and colons and expands
 * "$", and would complain on the target's stderr. For such a path a private copy is used.
 */
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { edleakError } from "../base/edleak-error.js";

/** What the loader reads as something else, and what a line to the launcher can't hold. */
const UNLOADABLE = /[\s:$]/;

/** The agent's path, or that of a copy; throws NO_AGENT_COPY when the path is unloadable and no copy can be made. */
export function loadableAgent(agent: string, env: NodeJS.ProcessEnv = process.env): string {
  if (!UNLOADABLE.test(agent)) return agent;
  const folders = cacheFolders(env).filter((folder) => !UNLOADABLE.test(folder));
  let why = "no folder has a path without them";
  for (const folder of folders) {
    try {
      return copyInto(folder, agent);
    } catch (error) {
      why = (error as Error).message;
    }
  }
  throw edleakError("NO_AGENT_COPY", agent, why);
}

function cacheFolders(env: NodeJS.ProcessEnv): readonly string[] {
  const cache = [env.XDG_CACHE_HOME ?? "", join(homeFolder(), ".cache")].find(isAbsolute);
  const ofAll = join(tmpdir(), `edleak-${process.geteuid?.()}`);
  return cache === undefined ? [ofAll] : [join(cache, "edleak"), ofAll];
}

/** "" for a user without one: not even an entry in the list of users, as in many containers. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "";
  }
}

/** The copy is named by its content, so it is never stale and two edleaks can share it. */
function copyInto(folder: string, agent: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const state = lstatSync(folder);
  if (!state.isDirectory() || state.uid !== process.geteuid?.()) {
    throw new Error(`"${folder}" is not a folder of ours`);
  }
  if ((state.mode & 0o077) !== 0) chmodSync(folder, 0o700);
  const content = readFileSync(agent);
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  const copy = join(folder, `libedleak-${hash}.so`);
  if (!isCopy(copy, content)) makeCopy(folder, copy, content);
  return copy;
}

/** It is loaded into programs, so the name alone is not believed: the folder may have been open to others once. */
function isCopy(path: string, content: Buffer): boolean {
  const state = lstatSync(path, { throwIfNoEntry: false });
  if (!state?.isFile() || state.uid !== process.geteuid?.()) return false;
  return (state.mode & 0o022) === 0 && readFileSync(path).equals(content);
}

/** Renamed when it is whole: another edleak may look for it at this moment. */
function makeCopy(folder: string, copy: string, content: Buffer): void {
  const unfinished = mkdtempSync(join(folder, "unfinished-"));
  try {
    const path = join(unfinished, "copy");
    writeFileSync(path, content, { mode: 0o500 });
    renameSync(path, copy);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
