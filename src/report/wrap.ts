/** Breaks lines and measures them in terminal columns; input is printable text without colours. */
import stringWidth from "string-width";

/** Columns that text takes. Nearly everything is ASCII, where that is its length. */
export const columns = (text: string): number =>
  /^[ -~]*$/.test(text) ? text.length : stringWidth(text);

export const padEnd = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - columns(text)));

export const padStart = (text: string, width: number): string =>
  " ".repeat(Math.max(0, width - columns(text))) + text;

/** Stands for a space at which no line may end. */
const TIE = "\u0000";
/** A digit group, unit or per cent sign that belongs to the number before it. */
const NUMBER_PART = /(?<=\d) (?=(?:\d{3}|%|[KMGTP]?B|ms|min|[shd])(?![\w]))/g;

/**
 * Breaks text into lines of at most `width` columns, at spaces, never between a number and its unit.
 * A word longer than the width gets a line of its own and is not broken: it may be a path.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.replace(NUMBER_PART, TIE).split(" ")) {
    if (word === "") continue;
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && columns(longer.replaceAll(TIE, " ")) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  if (line !== "") lines.push(line);
  return lines.map((tied) => tied.replaceAll(TIE, " "));
}

/** Puts parts on a line with a separator between them, and begins a new line before a part that would not fit. */
export function joinParts(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    const longer = last === undefined ? part : `${last}${separator}${part}`;
    if (last !== undefined && columns(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(...wrap(part, width));
  }
  return lines;
}
