/** Text of hostile origin made fit for a terminal, a page or a report. */

/** A readable name may have 16 KiB; see the demangler. */
const TEXT_LIMIT = 16 * 1024 + 16;

/** `text` without control characters (each becomes "?"), and not longer than 16 KiB. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.slice(0, TEXT_LIMIT).replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
}
