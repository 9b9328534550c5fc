/**
 * Makes long C++ names short where it hurts least: first the parameters go, then template arguments,
 * then the middle. What is called (the end) and whose it is (the beginning) stay.
 */
import { columns } from "./wrap.js";

const OPENERS = "<([";
const CLOSERS = ">)]";

/** What std::string is called by a demangler. */
const STRING =
  /std::(?:__cxx11::)?basic_string<char, std::char_traits<char>, std::allocator<char> ?>/g;

/** A name as a programmer wrote it: std::string instead of what it stands for. */
export const asWritten = (name: string): string => name.replace(STRING, "std::string");

interface Bracket {
  readonly opener: string;
  readonly from: number;
  readonly to: number;
}

/** Index behind an operator's own sign, "operator<<", "operator()", "operator->"; the index itself elsewhere. */
function afterOperator(name: string, at: number): number {
  const match = /(?<![\w])operator\s*(\(\)|\[\]|<=>|<<=?|>>=?|->\*?|<=?|>=?)/y;
  match.lastIndex = at;
  return match.test(name) ? match.lastIndex : at;
}

/** The outermost bracket pairs of a name. Unbalanced brackets end the search: the name is cut in the middle instead. */
function outerBrackets(name: string): Bracket[] {
  const found: Bracket[] = [];
  const open: { readonly opener: string; readonly at: number }[] = [];
  for (let i = 0; i < name.length; i++) {
    const behind = afterOperator(name, i);
    if (behind > i) {
      i = behind - 1;
      continue;
    }
    const character = name[i] ?? "";
    if (OPENERS.includes(character)) open.push({ opener: character, at: i });
    if (!CLOSERS.includes(character)) continue;
    const opened = open.pop();
    if (opened === undefined || opened.opener !== OPENERS[CLOSERS.indexOf(character)]) return found;
    if (open.length === 0) found.push({ opener: opened.opener, from: opened.at, to: i });
  }
  return found;
}

/** Empties one kind of bracket pair; "(anonymous namespace)" says who owns the function and stays. */
function emptied(name: string, opener: string, mark: string): string {
  const parts: string[] = [];
  let at = 0;
  for (const bracket of outerBrackets(name)) {
    const inside = name.slice(bracket.from + 1, bracket.to);
    if (bracket.opener !== opener || inside.startsWith("anonymous ")) continue;
    if (columns(inside) <= columns(mark)) continue;
    parts.push(name.slice(at, bracket.from + 1), mark);
    at = bracket.to;
  }
  return parts.join("") + name.slice(at);
}

/** Keeps both ends of a text: a third for the beginning, the rest for the end, where a function's own name is. */
export function cutInTheMiddle(name: string, width: number, mark: string): string {
  if (columns(name) <= width) return name;
  const characters = Array.from(name);
  const room = Math.max(0, width - columns(mark));
  const head = takeColumns(characters, Math.floor(room / 3));
  const tail = takeColumns(characters.toReversed(), room - Math.floor(room / 3));
  return head.join("") + mark + tail.toReversed().join("");
}

function takeColumns(characters: readonly string[], width: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += columns(character);
    if (used > width) break;
    taken.push(character);
  }
  return taken;
}

/**
 * A name in at most `width` columns.
 * @param mark stands for what was left out: "…" or "..."
 * @example
 * shortName("std::vector<Session, Alloc<Session>>::push_back(Session const&)", 28, "...");
 * // "std::vector<...>::push_back(...)" would still be too long: "std::vec...>::push_back(...)"
 */
export function shortName(name: string, width: number, mark: string): string {
  if (columns(name) <= width) return name;
  const noParameters = emptied(name, "(", mark);
  if (columns(noParameters) <= width) return noParameters;
  const noArguments = emptied(noParameters, "<", mark);
  return columns(noArguments) <= width ? noArguments : cutInTheMiddle(noArguments, width, mark);
}
