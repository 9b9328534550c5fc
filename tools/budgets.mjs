// File-size budgets and the first-sentence rule. (The length of TypeScript functions is biome's to check.)
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { filesUnder } from "./files.mjs";
import { root } from "./process.mjs";

/** Ceilings in lines. Typical is half of it: a file near its ceiling usually does two things. */
export const CEILINGS = {
  script: { file: 350, extensions: [".ts", ".mjs"] },
  c: { file: 500, function: 80, extensions: [".c", ".cc", ".cpp", ".h", ".def"] },
};

/** A reason for passing a ceiling stands among the first lines: "budget: one table, read as one". */
const REASON = /\bbudget: \S+ \S+/;
const HEAD_LINES = 15;

/** Where every file has a size and says first what it is for. */
const FOLDERS = ["src", "agent", "tools", "test", "bench", "examples"];
/** A unit test is for the file beside it. */
const UNIT_TEST = /\.test\.(ts|mjs)$/;
/** Written by tools/gen.mjs. */
const GENERATED = /^agent\/gen\//;

/**
 * What a file breaks, as sentences.
 * @param {string} path from the repository's root, with slashes
 * @param {string} text the file's text
 */
export function overruns(path, text) {
  const kind = Object.values(CEILINGS).find(({ extensions }) => extensions.includes(extname(path)));
  if (!kind || GENERATED.test(path)) return [];
  const found = [];
  const lines = text.replace(/\n$/, "").split("\n");
  const excused = REASON.test(lines.slice(0, HEAD_LINES).join("\n"));
  if (lines.length > kind.file && !excused) {
    found.push(`${path}: ${lines.length} lines, ceiling ${kind.file}`);
  }
  if (kind.function && !excused) found.push(...longFunctions(path, lines, kind.function));
  if (!UNIT_TEST.test(path) && !beginsWithSentence(text)) {
    found.push(`${path}: doesn't begin with a comment that says what it is for`);
  }
  return found;
}

/** Functions of C: in our format a definition opens by a "{" that ends its line and closes by a "}" in column 0. */
function longFunctions(path, lines, ceiling) {
  const found = [];
  let head = "";
  let opened = -1;
  lines.forEach((line, index) => {
    if (opened >= 0 && line.startsWith("}")) {
      const length = index - opened - 1;
      if (length > ceiling) found.push(`${path}:${opened + 1}: ${length} lines in "${head}"`);
      opened = -1;
    } else if (opened < 0 && /^(?!#|\/|\s*\*).*\)[^=;]*\{$/.test(line)) {
      head = line.replace(/\{$/, "").trim();
      opened = index;
    }
  });
  return found;
}

/** A comment of at least four words opens the file; only a "#!" line may precede it. */
function beginsWithSentence(text) {
  const [, line, block] =
    /^(?:#!.*\n)?(?:\/\/ ?(.*)|\/\*+((?:[^*]|\*(?!\/))*)\*\/)/.exec(text) ?? [];
  const words = (line ?? block ?? "").replace(/^\s*\*/gm, " ").match(/\p{L}[^\s]*/gu) ?? [];
  return words.length >= 4;
}

function main() {
  const paths = FOLDERS.flatMap(filesUnder);
  const found = paths.flatMap((path) => overruns(path, readFileSync(join(root, path), "utf8")));
  for (const sentence of found) console.error(sentence);
  if (found.length > 0) process.exitCode = 1;
  else console.log(`${paths.length} files within their budgets`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
