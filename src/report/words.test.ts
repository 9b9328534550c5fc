/** Text made fit for a terminal: printable, wrapped, shortened. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable, shellWord } from "./printable.js";
import { asWritten, shortName } from "./short-name.js";
import { columns, joinParts, wrap } from "./wrap.js";

describe("printable", () => {
  test.each([
    ["plain", "plain"],
    ["a\tb\r\nc", "a b c"],
    ["\x1b[2J", "\\x1b[2J"],
    ["\u009b31m", "\\x9b31m"],
    ["\u202eabc", "\\u{202e}abc"],
    ["\ud800", "\\u{d800}"],
    ["é漢", "é漢"],
  ])("%j is shown as %j", (text, shown) => {
    expect(printable(text, true)).toBe(shown);
  });

  test("without Unicode nothing but ASCII is left", () => {
    expect(printable("é", false)).toBe("\\xe9");
    expect(printable("漢", false)).toBe("\\u{6f22}");
  });

  test("a huge name keeps its ends", () => {
    const shown = printable(`begin${"x".repeat(1_000_000)}end`, true);
    expect(shown.length).toBeLessThan(5000);
    expect(shown).toMatch(/^begin.*end$/);
  });

  test.each([
    ["./leaker", "./leaker"],
    ["--x=1,2", "--x=1,2"],
    ["a b", "'a b'"],
    ["it's", "'it'\\''s'"],
    ["$(reboot)", "'$(reboot)'"],
    ["", "''"],
  ])("the shell word of %j is %s", (word, quoted) => {
    expect(shellWord(word)).toBe(quoted);
  });
});

describe("wrap", () => {
  test("breaks at spaces, never between a number and its unit", () => {
    expect(wrap("it leaks 12 KB in 2 114 blocks of 5 min 20 s each", 12)).toEqual([
      "it leaks",
      "12 KB in",
      "2 114 blocks",
      "of 5 min",
      "20 s each",
    ]);
  });

  test("a path longer than the line stays whole", () => {
    expect(wrap("see /a/very/long/path.cc:12 there", 10)).toEqual([
      "see",
      "/a/very/long/path.cc:12",
      "there",
    ]);
  });

  test("loses no word and is not wider than it must be", () => {
    const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(word), fc.integer({ min: 20, max: 60 }), (words, width) => {
        const text = words.join(" ");
        const lines = wrap(text, width);
        const flat = (of: string) => of.split(" ").filter((part) => part !== "");
        expect(lines.flatMap(flat)).toEqual(flat(text));
        const loose = lines.filter((line) => line.length > width && !/\d \S/.test(line));
        expect(loose).toEqual([]);
      }),
    );
  });

  test("parts are joined while they fit", () => {
    expect(joinParts(["one", "two", "three"], " · ", 10)).toEqual(["one · two", "three"]);
  });
});

test("std::string is called by its name, however the demangler spells it", () => {
  const spelt = "std::char_traits<char>, std::allocator<char> >";
  expect(asWritten(`f(std::__cxx11::basic_string<char, ${spelt} const&)`)).toBe(
    "f(std::string const&)",
  );
  expect(asWritten(`g(std::basic_string<char, ${spelt.replace(" >", ">")}, int)`)).toBe(
    "g(std::string, int)",
  );
  expect(asWritten("h(std::basic_string<wchar_t>)")).toBe("h(std::basic_string<wchar_t>)");
});

describe("shortName", () => {
  const insert = "app::Registry<Session, Alloc<Session>>::Insert(Session const&, Options const&)";

  test.each([
    [78, insert],
    [60, "app::Registry<Session, Alloc<Session>>::Insert(...)"],
    [40, "app::Registry<...>::Insert(...)"],
    [20, "app::...:Insert(...)"],
  ])(
    "in %d columns parameters go first, then template arguments, then the middle",
    (width, text) => {
      expect(shortName(insert, width, "...")).toBe(text);
    },
  );

  test.each([
    ["(anonymous namespace)::Copy(char const*, char const*)", 40, "(anonymous namespace)::Copy(…)"],
    ["std::operator<< <char>(std::ostream&, char const*)", 40, "std::operator<< <char>(…)"],
    ["Functor::operator()(int, int) const", 33, "Functor::operator()(…) const"],
    ["Smart<Thing, Deleter>::operator->() const", 36, "Smart<…>::operator->() const"],
    ["a_c_function_with_a_very_long_name_indeed", 20, "a_c_fu…g_name_indeed"],
    ["broken>name<(", 8, "br…ame<("],
  ])("%s keeps what names it", (name, width, text) => {
    expect(shortName(name, width, "…")).toBe(text);
  });

  test("never takes more columns than it has", () => {
    const name = fc.oneof(
      fc.string({
        unit: fc.constantFrom(..."abc<>()[]: 漢", "operator", "->", "<<"),
        maxLength: 80,
      }),
      fc.string(),
    );
    fc.assert(
      fc.property(name, fc.integer({ min: 4, max: 100 }), (text, width) => {
        const short = shortName(printable(text, true), width, "…");
        expect(columns(short)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
