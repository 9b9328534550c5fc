/**
 * A file that a report goes to: checked before the target starts, written under a temporary name and
 * renamed, so that a reader never sees half a report and a failure never costs the old one.
 */
import { randomBytes } from "node:crypto";
import {
  closeSync,
  fchmodSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { edleakError } from "../base/edleak-error.js";
import { findPlace, type Place } from "./output-place.js";
import { toStderr } from "./streams.js";

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

const TEMPORARY_BYTES = 6;

export class OutputFile {
  /** As it was given. */
  readonly name: string;
  readonly #place: Place;
  /** Of nobody else, and short, whatever the name. */
  readonly #temporary: string;

  /** Checks that it can be written; throws OUTPUT_NOT_WRITABLE, or STDOUT_IS_THE_TARGETS for the option's name. */
  constructor(name: string, option: string) {
    this.name = name;
    this.#place = findPlace(name);
    this.#temporary = join(
      dirname(this.path),
      `.${randomBytes(TEMPORARY_BYTES).toString("hex")}.edleak`,
    );
    const { kind } = this.#place;
    if (kind === "stdout") throw edleakError("STDOUT_IS_THE_TARGETS", option);
    if (kind === "refused") throw edleakError("OUTPUT_NOT_WRITABLE", name, this.#place.why);
    if (kind === "file") this.#try();
  }

  /** Absolute, links followed; the same for two names of one file. */
  get path(): string {
    return this.#place.path;
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
      this.#put(text);
      return null;
    } catch (error) {
      const why = `Cannot write "${this.name}": ${reasonOf(error)}`;
      return `${why}; ${this.#rescue(text)}`;
    }
  }

  #put(text: string): void {
    const { kind } = this.#place;
    if (kind === "file") this.#replace(text);
    else if (kind === "stream") writeFileSync(this.path, text);
    else if (!toStderr(text)) throw new Error("nobody reads it");
  }

  #replace(text: string): void {
    try {
      this.#writeTemporary(text, statSync(this.path, { throwIfNoEntry: false })?.mode);
      renameSync(this.#temporary, this.path);
    } catch (error) {
      removeIfThere(this.#temporary);
      throw error;
    }
  }

  /** @param mode of the file that is replaced: who could not read the old report doesn't get the new one */
  #writeTemporary(text: string, mode: number | undefined): void {
    const descriptor = openSync(this.#temporary, "wx", (mode ?? 0o666) & 0o777);
    try {
      if (mode !== undefined) fchmodSync(descriptor, mode & 0o777);
      writeFileSync(descriptor, text, { flush: true });
    } finally {
      closeSync(descriptor);
    }
  }

  /** What was measured can't be measured again: it goes to the folder for temporary files. */
  #rescue(text: string): string {
    let folder: string | null = null;
    try {
      folder = mkdtempSync(join(tmpdir(), "edleak-"));
      const path = join(folder, basename(this.name));
      writeFileSync(path, text, { flag: "wx", mode: 0o600 });
      return `it is in "${path}"`;
    } catch {
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
      return "it is lost";
    }
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
    const file = new OutputFile(name, `--${option}`);
    const other = seen.get(file.path);
    if (other !== undefined) throw edleakError("SAME_OUTPUT", other, `--${option}`, name);
    seen.set(file.path, `--${option}`);
    opened[option] = file;
  }
  return opened;
}
