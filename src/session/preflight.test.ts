// Real programs, one for each reason why the agent can't see into one, and what is said of it.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Preflight, preflight } from "./preflight.js";

const folder = mkdtempSync(join(tmpdir(), "edleak-preflight-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MAIN = "int main(void) { return 0; }\n";
const OWN_MALLOC = `#include <stddef.h>
static char heap[65536]; static size_t used;
void *malloc(size_t n) { void *p = heap + used; used += (n + 15) & ~(size_t)15; return p; }
void free(void *p) { (void)p; }
${MAIN}`;

function compile(name: string, source: string, ...flags: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(`${path}.c`, source);
  execFileSync(process.env.CC ?? "cc", [`${path}.c`, "-o", path, ...flags]);
  return path;
}

let plain = "";
beforeAll(() => {
  plain = compile("plain", MAIN);
});

function look(binary: string, capabilities = false): Promise<Preflight> {
  const program = { name: binary, path: binary, binary, isScript: false };
  return preflight(program, {
    hasCapabilities: () => Promise.resolve(capabilities),
    sibling: plain,
  });
}

/** The code and the sentence of what stands in the way. */
async function obstacle(binary: string, capabilities = false): Promise<string> {
  const { obstacle } = await look(binary, capabilities);
  return obstacle === null ? "none" : `${obstacle.code}: ${obstacle.message}`;
}

/** A copy with some bytes of it replaced. */
function patched(name: string, offset: number, ...bytes: readonly number[]): string {
  const content = Buffer.from(readFileSync(plain));
  Buffer.from(bytes).copy(content, offset);
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o755 });
  return path;
}

describe("can be seen", () => {
  test("an ordinary program, also stripped or without PIE", async () => {
    expect(await obstacle(plain)).toBe("none");
    expect(await obstacle(compile("stripped", MAIN, "-s"))).toBe("none");
    expect(await obstacle(compile("fixed", MAIN, "-no-pie"))).toBe("none");
    expect((await look(plain)).notes).toEqual([]);
  });

  test("one that only calls malloc, also by its address", async () => {
    const source = `#include <stdlib.h>\nvoid *(*f)(size_t) = malloc; int main(void) { free(f(1)); return 0; }\n`;
    expect(await obstacle(compile("caller", source, "-no-pie"))).toBe("none");
  });

  test("what can't be read: the kernel and the check while it runs decide", async () => {
    expect(await obstacle(join(folder, "absent"))).toBe("none");
    const text = join(folder, "text");
    writeFileSync(text, "words");
    expect(await obstacle(text)).toBe("none");
  });
});

describe("can't be seen", () => {
  test.each([
    ["static", "STATIC_PROGRAM", "is statically linked", ["-static"]],
    ["static-pie", "STATIC_PROGRAM", "is statically linked", ["-static-pie"]],
    ["asan", "SANITIZER", "is built with AddressSanitizer", ["-fsanitize=address"]],
    ["lsan", "SANITIZER", "is built with LeakSanitizer", ["-fsanitize=leak"]],
    ["tsan", "SANITIZER", "is built with ThreadSanitizer", ["-fsanitize=thread"]],
    ["asan-static", "SANITIZER", "AddressSanitizer", ["-fsanitize=address", "-static-libasan"]],
    [
      "musl",
      "OTHER_C_LIBRARY",
      "uses musl and the agent is built for glibc",
      ["-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"],
    ],
  ])("%s", async (name, code, sentence, flags) => {
    const said = await obstacle(compile(name, MAIN, ...flags));
    expect(said).toContain(code);
    expect(said).toContain(sentence);
  });

  test("its own malloc, exported or not", async () => {
    const exported = await obstacle(compile("exported", OWN_MALLOC, "-fno-builtin"));
    expect(exported).toContain('OWN_ALLOCATOR: "');
    expect(exported).toContain('brings its own "malloc"');
    const hidden = compile("hidden", OWN_MALLOC, "-fno-builtin", "-fvisibility=hidden");
    expect(await obstacle(hidden)).toContain("OWN_ALLOCATOR");
  });

  test("Go without C", async () => {
    const source = `${MAIN}__attribute__((section(".go.buildinfo"), used)) static char info[16] = "go";\n`;
    expect(await obstacle(compile("go", source, "-static"))).toContain("GO_PROGRAM");
    const mixed = await look(compile("cgo", source));
    expect(mixed.obstacle).toBeNull();
    expect(mixed.notes.join()).toContain("Only its C side is seen");
  });

  test("another machine, class or byte order", async () => {
    expect(await obstacle(patched("arm", 18, 40, 0))).toMatch(/OTHER_MACHINE: .*ARM/i);
    expect(await obstacle(patched("small", 4, 1))).toMatch(/OTHER_MACHINE: .*32-bit/);
    expect(await obstacle(patched("big", 5, 2))).toContain("OTHER_MACHINE");
  });

  test("set-user-id to somebody else", async () => {
    const path = join(folder, "setuid");
    copyFileSync(plain, path);
    // Root can give the file away; an ordinary user finds one that root owns.
    const owned = process.geteuid?.() === 0;
    if (owned) execFileSync("chown", ["12345", path]);
    chmodSync(path, 0o4755);
    const said = await obstacle(owned ? path : "/usr/bin/passwd");
    expect(said).toContain("PRIVILEGED_PROGRAM");
    expect(said).toContain("is set-user-id");
  });

  test("set-user-id to ourselves changes nothing", async () => {
    const path = join(folder, "own-setuid");
    copyFileSync(plain, path);
    chmodSync(path, 0o4755);
    expect(await obstacle(path)).toBe("none");
  });

  test("file capabilities, unless root runs it", async () => {
    const said = await obstacle(plain, true);
    expect(said).toContain(process.geteuid?.() === 0 ? "none" : "has file capabilities");
  });
});

describe("notes", () => {
  test.each([
    ["node", "JavaScript"],
    ["java", "JVM"],
    ["python3.11", "PYTHONMALLOC=malloc"],
    ["dotnet", ".NET"],
    ["ruby3.1", "ObjectSpace"],
  ])("%s: what is not in malloc, and what shows it", async (name, word) => {
    copyFileSync(plain, join(folder, name));
    const { obstacle, notes } = await look(join(folder, name));
    expect(obstacle).toBeNull();
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain(word);
  });

  test("an allocator linked in under a name of its own", async () => {
    const source = `void *je_malloc(unsigned long n) { return (void *)n; }\n${MAIN}`;
    const { obstacle, notes } = await look(compile("private", source));
    expect(obstacle).toBeNull();
    expect(notes).toEqual(["What it takes from its own jemalloc is not seen."]);
  });
});
