/**
 * A file that a report goes to: checked before the target starts, written under a temporary name and
 * renamed, so that a reader never sees half a report and a failure never costs the old one.
 */
import {
  closeSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { edleakError } from "../base/edleak-error.js";

/** Node's codes in words. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "no permission",
  EDQUOT: "the disk quota is used up",
  EISDIR: "it is a directory",
  ENOENT: "its folder does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "its folder is not a directory",
  EROFS: "the file system is read-only",
};

const reasonOf = (error: unknown): string => {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
};

/** Links to follow before it is called a loop, as in the kernel. */
const MOST_LINKS = 40;

/** Follows links, also to a file that isn't there yet. */
function finalPath(name: string): string {
  let path = resolve(name);
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      path = resolve(dirname(path), readlinkSync(path));
    } catch {
      break; // no link, or nothing there
    }
  }
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

export class OutputFile {
  /** As it was given. */
  readonly name: string;
  /** Absolute, links followed. */
  readonly path: string;
  /** A terminal, pipe or device: written in place, there is nothing to rename over. */
  readonly #isStream: boolean;

  /** Checks that the file can be made; throws OUTPUT_NOT_WRITABLE. */
  constructor(name: string) {
    this.name = name;
    this.path = finalPath(name);
    const state = stateOf(this.path);
    if (state?.isDirectory()) throw edleakError("OUTPUT_NOT_WRITABLE", name, "it is a directory");
    this.#isStream = state !== null && !state.isFile();
    if (!this.#isStream) this.#try();
  }

  get #temporary(): string {
    return join(dirname(this.path), `.${basename(this.path)}.${process.pid}.edleak`);
  }

  #try(): void {
    try {
      closeSync(openSync(this.#temporary, "wx", 0o666));
      unlinkSync(this.#temporary);
    } catch (error) {
      throw edleakError("OUTPUT_NOT_WRITABLE", this.name, reasonOf(error));
    }
  }

  /**
   * Writes the text.
   * @returns null, or a sentence about what went wrong and where the text is instead
   */
  write(text: string): string | null {
    try {
      if (this.#isStream) writeFileSync(this.path, text);
      else this.#replace(text);
      return null;
    } catch (error) {
      const why = `Cannot write "${this.name}": ${reasonOf(error)}`;
      return `${why}; ${this.#rescue(text)}`;
    }
  }

  #replace(text: string): void {
    try {
      writeFileSync(this.#temporary, text, { flag: "wx", flush: true });
      renameSync(this.#temporary, this.path);
    } catch (error) {
      removeIfThere(this.#temporary);
      throw error;
    }
  }

  /** What was measured can't be measured again: it goes to the folder for temporary files. */
  #rescue(text: string): string {
    const path = join(tmpdir(), `edleak-${process.pid}-${basename(this.path)}`);
    try {
      writeFileSync(path, text, { flag: "wx", mode: 0o600 });
      return `it is in "${path}"`;
    } catch {
      removeIfThere(path);
      return "it is lost";
    }
  }
}

/** null when nothing is there, or nothing can be. */
function stateOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Never made.
  }
}

/** Opens the outputs that were asked for; two names of one file are refused. */
export function openOutputs<N extends string>(
  asked: Readonly<Record<N, string | null>>,
): Partial<Record<N, OutputFile>> {
  const opened: Partial<Record<N, OutputFile>> = {};
  const seen = new Map<string, string>();
  for (const [option, name] of Object.entries(asked) as [N, string | null][]) {
    if (name === null) continue;
    const file = new OutputFile(name);
    const other = seen.get(file.path);
    if (other !== undefined) throw edleakError("SAME_OUTPUT", other, `--${option}`, name);
    seen.set(file.path, `--${option}`);
    opened[option] = file;
  }
  return opened;
}
