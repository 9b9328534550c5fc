/** What the text of a report is written on: width, colours, glyphs, and the column of labels at its left. */
import { printable } from "./printable.js";
import { padEnd, wrap } from "./wrap.js";

/** How edleak was called, to propose the next command. */
export interface Invocation {
  /** The command as the user reaches it: "edleak", "bin/edleak". */
  readonly edleak: string;
  /** Program and arguments. */
  readonly program: readonly string[];
}

export interface TextOptions {
  /** Columns of the terminal; below 40 it is written for 40. */
  readonly width: number;
  /** ANSI colours; false for NO_COLOR, TERM=dumb and anything that is no terminal. */
  readonly colour: boolean;
  /** false: ASCII only (LANG=C). */
  readonly unicode: boolean;
  /** Default: "edleak" and the process's own arguments. */
  readonly command?: Invocation;
  /** Source files below this directory are shown relative to it. */
  readonly cwd?: string;
}

/** Meaning of a colour; red is for leaks alone. */
export type Tone = "leak" | "good" | "warning" | "notice" | "strong" | "faint";

const SGR: Readonly<Record<Tone, string>> = {
  leak: "1;31",
  good: "1;32",
  warning: "1;33",
  notice: "36",
  strong: "1",
  faint: "2",
};

export interface Page {
  /** Columns right of the labels. */
  readonly width: number;
  /** Columns that running text is wrapped at: long lines are hard to read. */
  readonly proseWidth: number;
  readonly dot: string;
  readonly ellipsis: string;
  readonly arrow: string;
  readonly cwd: string | null;
  readonly command: Invocation | null;
  /** Columns of the labels; 0: a label has its own line. */
  readonly labelWidth: number;
  readonly paint: (tone: Tone, text: string) => string;
  /** Foreign text made safe. */
  readonly safe: (text: string) => string;
}

const MIN_WIDTH = 40;
const NARROW = 60;
const PROSE = 100;
const MARGIN = 2;
const LABEL = 11;
const NARROW_INDENT = 4;

export function makePage(options: TextOptions): Page {
  const total = Math.max(MIN_WIDTH, Math.floor(options.width) || MIN_WIDTH);
  const labelWidth = total < NARROW ? 0 : LABEL;
  const width = total - (labelWidth === 0 ? NARROW_INDENT : MARGIN + LABEL);
  return {
    width,
    proseWidth: Math.min(width, PROSE),
    dot: options.unicode ? " · " : " | ",
    ellipsis: options.unicode ? "…" : "...",
    arrow: options.unicode ? "→" : "->",
    cwd: options.cwd ?? null,
    command: options.command ?? null,
    labelWidth,
    paint: (tone, text) =>
      options.colour && text !== "" ? `\x1b[${SGR[tone]}m${text}\x1b[0m` : text,
    safe: (text) => printable(text, options.unicode),
  };
}

/** Puts a label before the first of some lines and the others under it. Without lines there is no section. */
export function section(page: Page, label: string, tone: Tone, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  if (page.labelWidth === 0) {
    const body = lines.map((line) => " ".repeat(NARROW_INDENT) + line);
    return [" ".repeat(MARGIN) + page.paint(tone, label), ...body];
  }
  return lines.map((line, i) => {
    const gap = i === 0 ? padEnd(label, page.labelWidth).slice(label.length) : "";
    const head = i === 0 ? page.paint(tone, label) + gap : " ".repeat(page.labelWidth);
    return " ".repeat(MARGIN) + head + line;
  });
}

/** Foreign or own running text: made safe, wrapped, and painted line by line. */
export const prose = (page: Page, text: string, tone?: Tone): string[] =>
  wrap(page.safe(text), page.proseWidth).map((line) => (tone ? page.paint(tone, line) : line));

/** Sentences as running text; they come without a full stop, and the last one gets none. */
export const inSentences = (...sentences: readonly (string | null)[]): string =>
  sentences.filter((sentence) => sentence !== null && sentence !== "").join(". ");
