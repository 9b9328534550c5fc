/**
 * Makes foreign text fit to be shown: names of symbols, files and programs come from the target and are hostile.
 *
 * Nothing that a terminal would act on passes: control characters (C0, DEL, C1), direction marks and other
 * invisible characters are shown as an escape, `\x1b` or `\u{202e}`, so that a reader sees that they are there.
 */

/** Control, format, surrogate, private and unassigned characters; line and paragraph separators. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** Tabs and line ends in one-line text; nothing is hidden by making them spaces. */
const BLANKS = /[\t\n\r\u00a0]+/g;
const NOT_ASCII = /[^ -~]/gu;

/** Longest text that is looked at: a path has at most 4 096 bytes, a longer name is shown by its ends. */
const MAX_LENGTH = 4096;

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/**
 * One line of text that is safe on a terminal.
 * @param unicode false: everything outside ASCII is escaped too (LANG=C)
 * @example
 * printable("evil\x1b[2J", true); // "evil\\x1b[2J"
 */
export function printable(text: string, unicode: boolean): string {
  const half = MAX_LENGTH / 2;
  const short =
    text.length <= MAX_LENGTH ? text : `${text.slice(0, half)} [...] ${text.slice(-half)}`;
  const safe = short.replace(BLANKS, " ").replace(UNSEEN, escapeOf);
  return unicode ? safe : safe.replace(NOT_ASCII, escapeOf);
}

/** A word as a POSIX shell reads it back: quoted only if it has to be. Control characters are not kept. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
