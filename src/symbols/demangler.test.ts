// Names that must come out readable, names that must stay as they are, and names made to do harm.
import { describe, expect, test } from "vitest";
import { Demangler, MANGLED_LIMIT_BYTES } from "./demangler.js";

const READABLE: readonly (readonly [string, string, string])[] = [
  ["a method", "_ZN6String12AppendStringEPKcj", "String::AppendString(char const*, unsigned int)"],
  ["operator new", "_Znwm", "operator new(unsigned long)"],
  [
    "aligned operator new[]",
    "_ZnamSt11align_val_t",
    "operator new[](unsigned long, std::align_val_t)",
  ],
  ["operator delete, sized", "_ZdlPvm", "operator delete(void*, unsigned long)"],
  ["an operator", "_ZN3VecpLERKS_", "Vec::operator+=(Vec const&)"],
  ["a call operator", "_ZNK3FooclEi", "Foo::operator()(int) const"],
  ["a constructor", "_ZN3FooC1Ev", "Foo::Foo()"],
  ["a destructor", "_ZN3FooD0Ev", "Foo::~Foo()"],
  ["a template", "_ZN5StackIiLj4EE4pushERKi", "Stack<int, (unsigned int)4>::push(int const&)"],
  [
    "the standard library",
    "_ZNSt6vectorIiSaIiEE9push_backERKi",
    "std::vector<int, std::allocator<int> >::push_back(int const&)",
  ],
  ["an anonymous namespace", "_ZN12_GLOBAL__N_14fillEv", "(anonymous namespace)::fill()"],
  ["a lambda", "_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()() const"],
  ["a cold clone", "_ZN3foo3barEv.cold", "foo::bar() [clone .cold]"],
  ["two clones", "_ZN3foo3barEv.isra.0.cold", "foo::bar() [clone .isra.0] [clone .cold]"],
  [
    "Rust, legacy",
    "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE",
    "core::fmt::Formatter::write_str",
  ],
  ["Rust v0", "_RNvNtCsaddbeef_4core3fmt5write", "core::fmt::write"],
  ["Rust v0, generic", "_RINvCs123_4leak4fillhE", "leak::fill::<u8>"],
];

const UNCHANGED: readonly string[] = [
  "malloc",
  "main",
  "_start",
  "_init",
  "__libc_start_main",
  "_Z",
  "_Zzzz",
  "_ZN3fooE_no",
  "_R",
  "_Raw_reader",
  "_GLOBAL__sub_I_main",
  "foo.cold",
  "foo.part.0",
  "?odd@@YAHXZ",
  "$s4main3fooyyF",
  "operator",
  "",
];

/** f(pair<int,int>, pair<that,that>, ...): the text doubles with each argument. */
function doubling(times: number): string {
  const back = (i: number): string => `S${(i - 1).toString(36).toUpperCase()}_`;
  const argument = (_: unknown, i: number): string => `S_I${back(i + 1)}${back(i + 1)}E`;
  return `_Z1fSt4pairIiiE${Array.from({ length: times }, argument).join("")}`;
}

describe("the demangler", () => {
  test.each(READABLE)("makes %s readable", async (_, mangled, readable) => {
    expect((await Demangler.shared()).demangle(mangled)).toBe(readable);
  });

  test.each(UNCHANGED)("leaves %j as it is", async (name) => {
    expect((await Demangler.shared()).demangle(name)).toBe(name);
  });

  test("leaves a name longer than the limit as it is", async () => {
    const demangler = await Demangler.shared();
    const long = (length: number): string => `_Z${length}${"x".repeat(length)}v`;
    expect(demangler.demangle(long(8000))).toBe(`${"x".repeat(8000)}()`);
    const tooLong = long(MANGLED_LIMIT_BYTES);
    expect(demangler.demangle(tooLong)).toBe(tooLong);
  });

  test("cuts a readable name that has no end", async () => {
    const readable = (await Demangler.shared()).demangle(doubling(10));
    expect(readable).toMatch(/^f\(std::pair<int, int>, .*\.\.\.$/);
    expect(readable.length).toBe(16 * 1024 + 3);
  });

  test("gives up a name that would fill the memory, and still works after it", async () => {
    const demangler = await Demangler.shared();
    for (const times of [20, 40, 60]) {
      expect(demangler.demangle(doubling(times))).toBe(doubling(times));
      const next = demangler.demangle(`_Z5after${"i".repeat(times)}`);
      expect(next).toBe(`after(${Array(times).fill("int").join(", ")})`);
    }
  });

  test("leaves a name nested too deeply as it is", async () => {
    const deep = `_Z1f${"P".repeat(5000)}i`;
    expect((await Demangler.shared()).demangle(deep)).toBe(deep);
  });
});
