// The function at an address, against a slow look through all symbols, and in the odd cases.
import { describe, expect, test } from "vitest";
import { compile, run, temporaryFolder } from "../../test/support/elf-programs.js";
import { type ElfFile, findSection, openElf } from "./elf-file.js";
import { type SymbolMatch, SymbolTable } from "./elf-symbols.js";

const folder = temporaryFolder();

const ODD = `
__asm__(
  ".text\\n"
  ".globl sized\\n .type sized, @function\\n sized: nop\\n nop\\n nop\\n nop\\n .size sized, 4\\n"
  " nop\\n nop\\n nop\\n nop\\n"
  ".globl outer\\n .type outer, @function\\n outer: nop\\n nop\\n"
  ".type inner, @function\\n inner: nop\\n nop\\n .size inner, 2\\n"
  " nop\\n nop\\n .size outer, 6\\n"
  ".globl bare\\n .type bare, @function\\n bare: nop\\n nop\\n nop\\n nop\\n"
  ".globl last\\n .type last, @function\\n last: nop\\n nop\\n"
  ".type __alias, @function\\n .globl __alias\\n .globl alias\\n .type alias, @function\\n"
  ".type local_alias, @function\\n"
  "local_alias: __alias: alias: nop\\n nop\\n .size __alias, 2\\n .size alias, 2\\n .size local_alias, 2\\n"
  ".globl label\\n label: nop\\n nop\\n");
void *chosen(void) __attribute__((ifunc("resolve_chosen")));
static void *real(void) { return 0; }
static void *(*resolve_chosen(void))(void) { return real; }
int main(void) { return chosen() != 0; }
`;

const VERSIONED = `
__asm__(".symver newer, versioned@@V_2\\n .symver older, versioned@V_1");
int newer(void) { return 2; }
int older(void) { return 1; }
`;

function tableOf(
  path: string,
  section: ".symtab" | ".dynsym",
): { file: ElfFile; table: SymbolTable } {
  const file = openElf(path);
  if (!file.ok) throw new Error(file.reason.tag);
  const table = SymbolTable.read(file.value, findSection(file.value, section)!);
  if (!table.ok) throw new Error(table.reason.tag);
  return { file: file.value, table: table.value };
}

interface NmSymbol {
  readonly address: number;
  readonly size: number;
  readonly kind: string;
  readonly name: string;
}

function nm(path: string, ...options: readonly string[]): readonly NmSymbol[] {
  return run("nm", ["-S", "--defined-only", ...options, path])
    .split("\n")
    .flatMap((line) => {
      const fields = /^([0-9a-f]+) (?:([0-9a-f]+) )?([a-zA-Z]) ([^@]+)/.exec(line);
      if (fields === null) return [];
      const [, address, size, kind, name] = fields;
      const parse = (digits: string | undefined): number => Number.parseInt(digits ?? "0", 16);
      return [{ address: parse(address), size: parse(size), kind: kind!, name: name! }];
    });
}

describe("the symbol table", () => {
  const odd = compile(folder, "odd", ODD, ["-O1"]);
  const { table } = tableOf(odd, ".symtab");
  const at = (name: string): number => nm(odd).find((symbol) => symbol.name === name)!.address;
  const find = (name: string, offset: number): SymbolMatch | null => table.find(at(name) + offset);

  test("finds a function from its first byte to its last, and not in the gap after it", () => {
    expect(find("sized", 0)).toEqual({ name: "sized", exact: true });
    expect(find("sized", 3)).toEqual({ name: "sized", exact: true });
    expect(find("sized", 4)).toBeNull();
    expect(find("sized", 7)).toBeNull();
  });

  test("finds the innermost of nested functions, and the outer one around it", () => {
    expect(find("outer", 1)?.name).toBe("outer");
    expect(find("outer", 2)?.name).toBe("inner");
    expect(find("outer", 4)).toEqual({ name: "outer", exact: true });
  });

  test("lets a function without size reach up to the next one", () => {
    expect(find("bare", 3)).toEqual({ name: "bare", exact: false });
    expect(find("bare", 4)).toEqual({ name: "last", exact: false });
  });

  test("lets no function reach out of its section", () => {
    const end = findSection(tableOf(odd, ".symtab").file, ".fini")!;
    expect(table.find(end.address + end.size)).toBeNull();
    expect(table.find(end.address + 0x100000)).toBeNull();
    expect(table.find(0)).toBeNull();
  });

  test("takes the public one of several names", () => {
    expect(find("alias", 1)).toEqual({ name: "alias", exact: true });
  });

  test("knows indirect functions, and no plain labels", () => {
    expect(find("chosen", 0)?.name).toMatch(/^(chosen|resolve_chosen)$/);
    expect(table.find(at("label"))?.name).not.toBe("label");
  });

  test("leaves versions out of names", () => {
    const map = `${folder}/versions.map`;
    run("sh", [
      "-c",
      `echo 'V_1 { global: versioned; local: *; }; V_2 { global: versioned; };' > '${map}'`,
    ]);
    const flags = ["-shared", "-fPIC", `-Wl,--version-script=${map}`];
    const path = compile(folder, "versioned.so", VERSIONED, flags);
    const address = nm(path).find((symbol) => symbol.name === "versioned")!.address;
    expect(run("nm", [path])).toMatch(/versioned@@V_2/);
    for (const section of [".symtab", ".dynsym"] as const) {
      expect(tableOf(path, section).table.find(address)?.name).toBe("versioned");
    }
  });

  test("agrees with a look through all symbols, on every function of a C++ program", () => {
    const source = `
      #include <map>
      #include <string>
      int main(int c, char **v) { std::map<std::string, int> m; m[v[0]] = c; return m.size() != 1; }`;
    const path = compile(folder, "many", source, ["-O0"], "c++");
    const functions = nm(path).filter(({ kind, size }) => /[TtWwi]/.test(kind) && size > 0);
    const tested = tableOf(path, ".symtab").table;
    expect(functions.length).toBeGreaterThan(100);
    for (const { address, size } of functions) {
      for (const probe of [address, address + size - 1]) {
        const spans = functions.filter((f) => probe >= f.address && probe < f.address + f.size);
        const start = Math.max(...spans.map((f) => f.address));
        const names = spans.filter((f) => f.address === start).map((f) => f.name);
        expect(names).toContain(tested.find(probe)?.name);
      }
    }
  });
});
