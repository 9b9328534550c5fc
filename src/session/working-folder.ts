/** Relative names, which mean nothing once the working folder was deleted. */
import { resolve } from "node:path";
import { edleakError } from "../base/edleak-error.js";

/**
 * The name as an absolute path.
 * @throws NO_WORKING_FOLDER for a relative name where the working folder is gone
 */
export function absolutePath(name: string): string {
  try {
    return resolve(name);
  } catch {
    throw edleakError("NO_WORKING_FOLDER", name);
  }
}
