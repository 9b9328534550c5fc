// The dependency picture as code: which folder of src/ may import which, checked over every import.
import { readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { filesUnder } from "./files.mjs";
import { root } from "./process.mjs";

/**
 * The folders in data-flow order: each may import only folders above it, and of those only what is
 * named here. `types` may be imported as types alone. A neutral folder runs in Node and in a browser.
 */
export const LAYERS = [
  { folder: "contract", runs: "neutral", imports: [] },
  { folder: "base", runs: "neutral", imports: ["contract"] },
  { folder: "segment", runs: "node", imports: ["contract", "base"] },
  { folder: "growth", runs: "neutral", imports: ["contract", "base"] },
  { folder: "symbols", runs: "node", imports: ["contract", "base"] },
  { folder: "pipeline", runs: "neutral", imports: ["contract", "base", "growth"] },
  { folder: "report", runs: "neutral", imports: ["contract", "base"] },
  {
    folder: "session",
    runs: "node",
    imports: ["contract", "base", "segment", "symbols", "pipeline"],
    types: ["growth"],
  },
  { folder: "cli", runs: "node", imports: ["contract", "base", "report", "session"] },
];

/** Which folders may import a package of package.json. Validators have no place before untrusted messages arrive. */
export const PACKAGES = {
  commander: ["cli"],
  "gecko-profiler-demangle": ["symbols"],
  "string-width": ["report"],
};

/** Tests, and what only tests use. */
const FOR_TESTS = /\.test\.ts$|\/testing\//;

/** Exceptions to the above, each a debt to be paid back: { from: "src/x/y.ts", to: "folder", reason: "..." }. */
export const DEBT = [];

const CLAUSE = String.raw`(?:[\w*{}\s,$]|//[^\n]*|/\*[\s\S]*?\*/)+?`;
const STATEMENT = new RegExp(
  String.raw`^(?:import|export)\s+(?:(type)\s+)?(?:${CLAUSE}\s*from\s*)?["']([^"']+)["']`,
  "gm",
);
const DYNAMIC = /\bimport\(\s*(?:["'`]([^"'`$]+)["'`]\s*[,)])?/g;

/**
 * The imports and re-exports of a TypeScript text: { specifier, typeOnly }, in order of appearance, the
 * dynamic ones last. The specifier of a dynamic import is null when it isn't a plain string.
 */
export function importsOf(text) {
  const statements = [...text.matchAll(STATEMENT)].map(([, type, specifier]) => ({
    specifier,
    typeOnly: type !== undefined,
  }));
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, specifier]) => ({
    specifier: specifier ?? null,
    typeOnly: false,
  }));
  return [...statements, ...dynamic];
}

/**
 * What a file imports against the picture, as sentences.
 * @param {string} path from the repository's root, with slashes: "src/growth/series.ts"
 * @param {string} text the file's text
 */
export function violations(path, text) {
  const [, folder = ""] = path.split("/");
  const layer = LAYERS.find((candidate) => candidate.folder === folder);
  if (!layer) return [`${path}: folder "${folder}" is not in the list of tools/layers.mjs`];
  return importsOf(text)
    .map((imported) => refusal(path, layer, imported))
    .filter((reason) => reason !== null)
    .map((reason) => `${path}: ${reason}`);
}

function refusal(path, layer, { specifier, typeOnly }) {
  const isTest = FOR_TESTS.test(path);
  if (specifier?.startsWith(".")) {
    const target = normalize(join(dirname(path), specifier)).split(sep);
    if (isTest && target[0] === "test") return null;
    if (!isTest && FOR_TESTS.test(target.join("/")))
      return `imports "${specifier}", which is for tests`;
    return folderRefusal(path, layer, { specifier, typeOnly, target });
  }
  // A test uses what it needs to test the file beside it.
  if (isTest) return null;
  if (specifier === null) return "imports a computed name, which nobody can check";
  if (specifier.startsWith("node:")) {
    return layer.runs === "node" ? null : `${layer.folder} is neutral, but imports "${specifier}"`;
  }
  return packageRefusal(layer, specifier);
}

function folderRefusal(path, layer, { specifier, typeOnly, target }) {
  if (target[0] !== "src" || target.length < 3)
    return `imports "${specifier}", outside the folders`;
  const to = target[1];
  if (to === layer.folder || layer.imports.includes(to)) return null;
  if (DEBT.some((debt) => debt.from === path && debt.to === to)) return null;
  const typesOnly = layer.types?.includes(to);
  if (typesOnly && typeOnly) return null;
  const remedy = typesOnly ? " other than by import type" : "";
  return `${layer.folder} may not import ${to}${remedy} ("${specifier}")`;
}

function packageRefusal(layer, specifier) {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  const folders = PACKAGES[name];
  if (!folders) return `imports package "${name}", which no folder may`;
  if (folders.includes(layer.folder)) return null;
  return `${layer.folder} may not import package "${name}" (only ${folders.join(", ")} may)`;
}

/** Mistakes in the list itself: a folder that imports one below it. */
export function disorder(layers = LAYERS) {
  const position = new Map(layers.map((layer, index) => [layer.folder, index]));
  return layers.flatMap(({ folder, imports, types = [] }) =>
    [...imports, ...types]
      .filter((to) => !(position.get(to) < position.get(folder)))
      .map((to) => `${folder} lists ${to}, which doesn't stand above it`),
  );
}

/** The list as a picture: one line per folder, in data-flow order. */
export function picture() {
  return LAYERS.map(({ folder, runs, imports, types = [] }) => {
    const from = [...imports, ...types.map((type) => `types of ${type}`)].join(", ");
    return `${folder.padEnd(10)}${runs.padEnd(9)}${from ? `<- ${from}` : ""}`.trimEnd();
  }).join("\n");
}

function main() {
  if (process.argv.includes("--print")) return console.log(picture());
  const files = filesUnder("src").filter((path) => path.endsWith(".ts"));
  const found = [
    ...disorder(),
    ...files.flatMap((path) => violations(path, readFileSync(join(root, path), "utf8"))),
  ];
  for (const sentence of found) console.error(sentence);
  if (found.length > 0) process.exitCode = 1;
  else console.log(`${files.length} files follow the picture, ${DEBT.length} exceptions`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
