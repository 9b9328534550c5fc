// Lists the repository's files for the checks that read them.
import { existsSync, readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { root } from "./process.mjs";

/** The files of a folder and those below it: paths from the repository's root, with slashes, in order. */
export function filesUnder(folder) {
  const top = join(root, folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}
