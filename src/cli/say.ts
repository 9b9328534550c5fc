/**
 * edleak's own words for a person, line by line. They quote names of files, programs and interpreters,
 * which may be hostile: nothing a terminal would act on passes.
 */
import { printable } from "../report/printable.js";
import { toStderr } from "./streams.js";
import { isUnicode } from "./text-options.js";

/** The text as one line that is safe on this terminal. */
export const shown = (text: string): string => printable(text, isUnicode(process.env));

/** Says a line on stderr, and perhaps what to do about it on a second one. */
export function say(text: string, advice?: string): void {
  const second = advice === undefined ? "" : `        ${shown(advice)}\n`;
  toStderr(`edleak: ${shown(text)}\n${second}`);
}
