// What is taken off a symbol's name, and what only looks like it.
import { expect, test } from "vitest";
import { withoutCloneSuffix } from "./clone-suffix.js";

test.each([
  ["main.cold", "main"],
  ["handle.constprop.0", "handle"],
  ["handle.isra.0.cold", "handle"],
  ["_ZN3foo3barEv.part.12", "_ZN3foo3barEv"],
  ["merged.llvm.1234567890", "merged"],
  ["main.handle", "main.handle"],
  ["copy.avx2", "copy.avx2"],
  ["part.of", "part.of"],
  [".cold", ".cold"],
  ["_ZN4core3fmt17h0123456789abcdefE", "_ZN4core3fmt17h0123456789abcdefE"],
])("the function's own name in %j is %j", (symbol, name) => {
  expect(withoutCloneSuffix(symbol)).toBe(name);
});
