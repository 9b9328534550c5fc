/** Where an allocer is: function, file and line of its frames, aligned; a file:line is never shortened or broken. */
import type { AllocerReport, Frame } from "../contract/report.js";
import type { Page, Tone } from "./page.js";
import { asWritten, shortName } from "./short-name.js";
import { columns, padEnd } from "./wrap.js";

/** One line of a list of places. */
export interface Place {
  readonly name: string;
  /** file:line, or the module where there is no line, or "". */
  readonly at: string;
  /** What else is said on the line, or "". */
  readonly note: string;
  readonly tone: Tone | null;
}

const GAP = 2;
/** A name is not shortened below this: the place goes to a line of its own before. */
const LEAST_NAME = 28;

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** A function of a system header that was inlined: nobody looks for his own leak there. */
const isForeign = (frame: Frame): boolean =>
  frame.inlined && /^\/usr\/(include|lib|src)\//.test(frame.file ?? "");

/**
 * The frame that a programmer wants to be sent to: the innermost one that is not a system header inlined
 * into his function; null without frames.
 */
export function ownFrame(frames: readonly Frame[]): Frame | null {
  const own = frames.find((frame) => !isForeign(frame));
  return own ?? frames.at(-1) ?? null;
}

/** Path of a source file as it is shown: relative below the current directory. */
function shownFile(page: Page, file: string): string {
  const prefix = page.cwd === null || page.cwd === "/" ? null : `${page.cwd}/`;
  return prefix !== null && file.startsWith(prefix) ? file.slice(prefix.length) : file;
}

/** "leaker.c:88", "leaker.c", or "" when no debug information tells. */
export function sourceOf(page: Page, frame: Frame): string {
  if (frame.file === undefined || frame.file === "") return "";
  const file = page.safe(shownFile(page, frame.file));
  return frame.line === undefined ? file : `${file}:${frame.line}`;
}

function nameOf(page: Page, frame: Frame): string {
  if (frame.function !== undefined && frame.function !== "")
    return page.safe(asWritten(frame.function));
  if (frame.module === "") return page.safe(frame.address);
  return page.safe(`${baseName(frame.module)}+${frame.offset}`);
}

/** A frame as a place. */
export function placeOf(page: Page, frame: Frame, note = "", tone: Tone | null = null): Place {
  const named = frame.function !== undefined && frame.function !== "";
  const source = sourceOf(page, frame);
  const at = source === "" && named ? page.safe(baseName(frame.module)) : source;
  return { name: nameOf(page, frame), at, note, tone };
}

/** The one place that stands for an allocer in a list. */
export function mainPlace(page: Page, allocer: AllocerReport, note = ""): Place {
  const frame = ownFrame(allocer.frames);
  if (frame !== null) return placeOf(page, frame, note);
  const name = page.safe(allocer.stack[0] ?? allocer.key) || `allocer ${allocer.id}`;
  return { name, at: "", note, tone: null };
}

function toneOf(frame: Frame, own: Frame): Tone | null {
  if (frame === own) return "strong";
  return isForeign(frame) ? "faint" : null;
}

/** All frames of an allocer, innermost first; frames of the system are faint, the own one stands out. */
export function stackOf(page: Page, allocer: AllocerReport): Place[] {
  const own = ownFrame(allocer.frames);
  if (own === null) return [{ ...mainPlace(page, allocer), tone: "strong" }];
  return allocer.frames.map((frame) =>
    placeOf(page, frame, frame.inlined ? "(inlined)" : "", toneOf(frame, own)),
  );
}

const withTone = (page: Page, tone: Tone | null, text: string): string =>
  tone === null ? text : page.paint(tone, text);

/** What stands behind the name: "src/string.h:52  (inlined)". */
const behind = (place: Place): string =>
  [place.at, place.note].filter((part) => part !== "").join(" ".repeat(GAP));

function painted(page: Page, place: Place, name: string, gap: string): string {
  const note = place.note === "" ? "" : page.paint("faint", place.note);
  if (place.at === "") return withTone(page, place.tone, name) + (note === "" ? "" : gap + note);
  const text = withTone(page, place.tone, name + gap + place.at);
  return note === "" ? text : text + " ".repeat(GAP) + note;
}

/** A place, its name as short as it has to be, and whether what stands behind it has room beside it. */
function fitted(page: Page, place: Place) {
  const tail = behind(place);
  const room = tail === "" ? page.width : page.width - GAP - columns(tail);
  const beside = room >= Math.min(LEAST_NAME, columns(place.name));
  return {
    place,
    room,
    beside,
    name: shortName(place.name, beside ? room : page.width, page.ellipsis),
  };
}

/**
 * Lays places out in two columns, the names and what stands behind them; one entry per place, in which a
 * line end separates the two where they have no room beside each other.
 */
export function placeRows(page: Page, places: readonly Place[]): string[] {
  const rows = places.map((place) => fitted(page, place));
  const nameWidth = Math.max(0, ...rows.map((row) => (row.beside ? columns(row.name) : 0)));
  return rows.map(({ place, room, beside, name }) => {
    if (behind(place) === "") return withTone(page, place.tone, name);
    if (!beside) return painted(page, place, name, "\n  ");
    return painted(page, place, padEnd(name, Math.min(nameWidth, room)), " ".repeat(GAP));
  });
}

/** The rows of places as lines. */
export const placeLines = (page: Page, places: readonly Place[]): string[] =>
  placeRows(page, places).flatMap((row) => row.split("\n"));
