/** How the text report is drawn on this terminal: width, colours, characters. */
import { basename, dirname } from "node:path";
import type { TextOptions } from "../report/text.js";
import type { TerminalState } from "../session/launcher.js";

/** Columns where no terminal says. */
const DEFAULT_COLUMNS = 80;
const WIDEST = 160;

/** A UTF-8 locale, by the rules of the C library: LC_ALL before LC_CTYPE before LANG. */
export function isUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  return /utf-?8/i.test(locale);
}

/** How the user calls edleak: by name where PATH has it, else by the path that was typed. */
function commandName(env: NodeJS.ProcessEnv): string {
  const typed = env.EDLEAK_COMMAND ?? "edleak";
  const isOnPath = (env.PATH ?? "").split(":").includes(dirname(typed));
  return isOnPath ? basename(typed) : typed;
}

/** The current folder, unless it was deleted. */
function currentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

const set = (value: string | undefined): boolean => value !== undefined && value !== "";

/** @param terminal what is on stderr; "none" for a file */
export function textOptions(
  terminal: TerminalState,
  program: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): TextOptions {
  const isTerminal = terminal.mode !== "none";
  const given = Number.parseInt(env.COLUMNS ?? "", 10);
  const columns = given > 0 ? given : terminal.columns > 0 ? terminal.columns : DEFAULT_COLUMNS;
  const cwd = currentFolder();
  return {
    ...(cwd === null ? {} : { cwd }),
    width: Math.min(columns, WIDEST),
    colour: isTerminal && !set(env.NO_COLOR) && env.TERM !== "dumb",
    unicode: isUnicode(env),
    command: { edleak: commandName(env), program },
  };
}
