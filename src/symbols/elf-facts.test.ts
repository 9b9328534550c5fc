// Facts of real programs, one for each kind that the preflight tells apart.
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compile, installed, run, temporaryFolder } from "../../test/support/elf-programs.js";
import { type ElfFacts, readElfFacts } from "./elf-facts.js";

const folder = temporaryFolder();
const PLAIN = "#include <stdlib.h>\nint main(void) { free(malloc(3)); return 0; }\n";
const OWN_MALLOC = `
#include <stddef.h>
static char room[4096];
static size_t used;
void *malloc(size_t size) { void *p = room + used; used += (size + 15) & ~15ul; return p; }
void free(void *p) { (void)p; }
int main(void) { free(malloc(3)); return 0; }
`;

function factsOf(path: string): ElfFacts {
  const facts = readElfFacts(path);
  if (!facts.ok) throw new Error(`Refused "${path}": ${JSON.stringify(facts.reason)}`);
  return facts.value;
}

describe("the facts of", () => {
  test("a dynamic program: loader, libraries, build id, nothing defined", () => {
    const facts = factsOf(compile(folder, "plain", PLAIN, ["-Wl,--build-id=0xabcdef0123"]));
    expect(facts.interpreter).toMatch(/^\/lib.*ld-linux/);
    expect(facts).toMatchObject({
      type: "shared",
      hasDynamic: true,
      needed: ["libc.so.6"],
      buildId: "abcdef0123",
      isGo: false,
    });
    expect([...facts.dynamicDefines, ...facts.symtabDefines]).toEqual([]);
    expect(facts.sections).toContain(".symtab");
  });

  test("a program linked to a fixed address", () => {
    const facts = factsOf(compile(folder, "fixed", PLAIN, ["-no-pie", "-Wl,--build-id=none"]));
    expect(facts).toMatchObject({ type: "executable", hasDynamic: true, buildId: "" });
  });

  test("a static program: no loader, its own malloc, until stripped", () => {
    const path = compile(folder, "static", PLAIN, ["-static"]);
    const facts = factsOf(path);
    expect(facts).toMatchObject({ interpreter: null, hasDynamic: false, needed: [] });
    expect(facts.symtabDefines).toContain("malloc");
    run("strip", [path]);
    expect(factsOf(path).symtabDefines.size).toBe(0);
    expect(factsOf(path).sections).not.toContain(".symtab");
  });

  test("a static-pie program: no loader, yet a dynamic segment", () => {
    const facts = factsOf(compile(folder, "static-pie", PLAIN, ["-static-pie"]));
    expect(facts).toMatchObject({ interpreter: null, hasDynamic: true, needed: [] });
    expect(facts.symtabDefines).toContain("malloc");
  });

  test("a program with a malloc of its own, exported: also when stripped", () => {
    const path = compile(folder, "exports", OWN_MALLOC, ["-fno-builtin", "-rdynamic"]);
    expect([...factsOf(path).dynamicDefines].sort()).toEqual(["free", "malloc"]);
    run("strip", [path]);
    expect([...factsOf(path).dynamicDefines].sort()).toEqual(["free", "malloc"]);
  });

  test("a program with a malloc of its own, hidden", () => {
    const flags = ["-fno-builtin", "-fvisibility=hidden"];
    const facts = factsOf(compile(folder, "hides", OWN_MALLOC, flags));
    expect(facts.dynamicDefines.size).toBe(0);
    expect([...facts.symtabDefines].sort()).toEqual(["free", "malloc"]);
  });

  test("a program whose names only end like the ones looked for", () => {
    const source = "void *xmalloc(void) { return 0; } int main(void) { return !!xmalloc(); }";
    const facts = factsOf(compile(folder, "ends-like", source, ["-rdynamic"]));
    expect([...facts.dynamicDefines, ...facts.symtabDefines]).toEqual([]);
    const asked = readElfFacts(join(folder, "ends-like"), ["xmalloc", "nowhere"]);
    expect(asked.ok && [...asked.value.dynamicDefines]).toEqual(["xmalloc"]);
  });

  test("a sanitized program", () => {
    const facts = factsOf(compile(folder, "asan", PLAIN, ["-fsanitize=address"]));
    expect(facts.needed.some((name) => name.startsWith("libasan.so"))).toBe(true);
    const linked = ["-fsanitize=address", "-static-libasan"];
    const inside = factsOf(compile(folder, "asan-inside", PLAIN, linked));
    expect(inside.symtabDefines).toContain("__asan_init");
    expect(inside.dynamicDefines).toContain("malloc");
  });

  test("a Go program, by its sections", () => {
    const path = join(folder, "like-go");
    const plain = compile(folder, "not-go", PLAIN, []);
    run("objcopy", ["--add-section", `.go.buildinfo=${plain}.c`, plain, path]);
    expect(factsOf(plain).isGo).toBe(false);
    expect(factsOf(path).isGo).toBe(true);
  });

  test.skipIf(!installed("musl-gcc"))("a program for musl", () => {
    const facts = factsOf(compile(folder, "musl", PLAIN, [], "musl-gcc"));
    expect(facts.interpreter).toMatch(/musl/);
  });

  test("a program behind a symbolic link", () => {
    const path = compile(folder, "linked", PLAIN, []);
    symlinkSync(path, join(folder, "link"));
    expect(factsOf(join(folder, "link"))).toEqual(factsOf(path));
  });

  test("a program without sections: what the loader reads is still known", () => {
    const path = join(folder, "no-sections");
    copyFileSync(compile(folder, "with-sections", PLAIN, []), path);
    const bytes = readFileSync(path);
    bytes.fill(0xff, 40, 48);
    writeFileSync(path, bytes);
    expect(factsOf(path)).toMatchObject({ hasDynamic: true, needed: ["libc.so.6"] });
    expect(factsOf(path).sections.size).toBe(0);
  });
});

describe("refused, with the reason, is", () => {
  const patched = (name: string, patch: (bytes: Buffer) => void): string => {
    const bytes = readFileSync(compile(folder, `${name}-source`, PLAIN, []));
    patch(bytes);
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  test("a script", () => {
    const path = join(folder, "script");
    writeFileSync(path, "#!/bin/sh\nexit 0\n");
    expect(readElfFacts(path)).toEqual({ ok: false, reason: { tag: "not-elf" } });
  });

  test("a folder, an empty file, a missing file", () => {
    writeFileSync(join(folder, "empty"), "");
    expect(readElfFacts(folder)).toEqual({ ok: false, reason: { tag: "not-a-file" } });
    const empty = readElfFacts(join(folder, "empty"));
    expect(empty).toEqual({ ok: false, reason: { tag: "not-elf" } });
    const missing = readElfFacts(join(folder, "missing"));
    expect(missing).toEqual({ ok: false, reason: { tag: "unreadable", code: "ENOENT" } });
  });

  test("a FIFO, without waiting for a writer", () => {
    run("mkfifo", [join(folder, "fifo")]);
    const fifo = readElfFacts(join(folder, "fifo"));
    expect(fifo).toEqual({ ok: false, reason: { tag: "not-a-file" } });
  });

  test("a program for another machine, word size or byte order", () => {
    const cases: readonly (readonly [string, string, (bytes: Buffer) => void])[] = [
      ["riscv", "64-bit RISC-V", (bytes) => bytes.writeUInt16LE(243, 18)],
      ["strange", "64-bit machine 9999", (bytes) => bytes.writeUInt16LE(9999, 18)],
      ["arm", "32-bit ARM", (bytes) => bytes.fill(1, 4, 5).writeUInt16LE(40, 18)],
      ["ppc", "64-bit big-endian PowerPC", (bytes) => bytes.fill(2, 5, 6).writeUInt16BE(21, 18)],
    ];
    for (const [name, description, patch] of cases) {
      const facts = readElfFacts(patched(name, patch));
      expect(facts).toEqual({ ok: false, reason: { tag: "foreign", description } });
    }
  });

  test("no program for the other machine that edleak knows", () => {
    const facts = readElfFacts(patched("aarch64", (bytes) => bytes.writeUInt16LE(183, 18)));
    expect(facts.ok && facts.value.machine).toBe("aarch64");
  });

  test("a program whose headers lie outside the file", () => {
    const path = patched("outside", (bytes) => bytes.writeBigUInt64LE(1n << 60n, 32));
    const facts = readElfFacts(path);
    expect(facts).toEqual({ ok: false, reason: { tag: "damaged", what: "program headers" } });
  });
});
