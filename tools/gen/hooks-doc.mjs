// docs/formats/hooks.md: the table of intercepted functions, from agent/hooks.def.
import { readFileSync } from "node:fs";

const GROUPS = {
  LIBC: "The allocation functions of C",
  GLIBC: "glibc's own names for them",
  NEW: "operator new",
  DELETE: "operator delete: sized forms never hand the size on",
  JEMALLOC: "jemalloc's native entry points",
  TCMALLOC: "tcmalloc's native entry points",
  MIMALLOC: "mimalloc's native entry points",
};

export function hooksDocument() {
  const source = readFileSync(new URL("../../agent/hooks.def", import.meta.url), "utf8");
  const hooks = [...source.matchAll(/^HOOK\((\w+), ([^,]+), (\w+), \((.*)\)\)$/gm)].map(
    ([, group, result, name, parameters]) => ({ group, result, name, parameters }),
  );
  const tables = Object.entries(GROUPS).map(([group, title]) => {
    const rows = hooks
      .filter((hook) => hook.group === group)
      .map(({ result, name, parameters }) => `| \`${name}\` | \`${result} (${parameters})\` |`);
    return `## ${title}\n\n| function | type |\n|---|---|\n${rows.join("\n")}\n`;
  });
  return `<!-- Written by tools/gen.mjs from agent/hooks.def; do not edit. -->
# What the agent intercepts

These ${hooks.length} names leave the library, and no other. The native entry points hand on to the allocator that exports
them and fall back to the C functions when there is none. Functions that allocate by calling malloc (strdup, asprintf,
getline, std::string ...) are not intercepted: their calls of malloc are seen.

${tables.join("\n")}`;
}
