// Names of generated code, and the ways in which a file in a public folder may mislead.
import { appendFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/elf-programs.js";
import { PerfMap, perfMapPath } from "./perf-map.js";
import { stackLabel } from "./stack-label.js";
import { Symbolizer } from "./symbolizer.js";

const folder = temporaryFolder();
const uid = process.getuid!();
let maps = 0;

function mapOf(text: string, owner: number = uid): { path: string; map: PerfMap } {
  const path = join(folder, `perf-${++maps}.map`);
  writeFileSync(path, text);
  const map = new PerfMap(path, owner);
  map.refresh();
  return { path, map };
}

describe("a perf map", () => {
  test("names code from its first byte to its last", () => {
    const { map } = mapOf("1000 10 JS:*first file.js:1\n0x2000 0x20 second\n");
    expect(map.find(0xfffn)).toBeUndefined();
    expect(map.find(0x1000n)).toBe("JS:*first file.js:1");
    expect(map.find(0x100fn)).toBe("JS:*first file.js:1");
    expect(map.find(0x1010n)).toBeUndefined();
    expect(map.find(0x201fn)).toBe("second");
  });

  test("gives the later of two that share an address", () => {
    const { map } = mapOf("1000 100 old\n1040 10 new\n1080 10 older\n1000 c0 newest\n");
    expect(map.find(0x1045n)).toBe("newest");
    expect(map.find(0x10d0n)).toBe("old");
  });

  test("is read again when it has grown, but no line before it is whole", () => {
    const { path, map } = mapOf("1000 10 first\n2000 10 sec");
    expect(map.find(0x2000n)).toBeUndefined();
    appendFileSync(path, "ond\n");
    map.refresh();
    expect(map.find(0x2000n)).toBe("second");
    expect(map.find(0x1000n)).toBe("first");
  });

  test("with lines that make no sense gives the others", () => {
    const text = "hello\n1000\nxyz 10 a\n\n1000 zz b\n3000 10 \n2000 10 good\x1b[2J\n";
    const { map } = mapOf(text);
    expect(map.find(0x2000n)).toBe("good?[2J");
    expect(map.find(0x1000n)).toBeUndefined();
  });

  test("of another owner, a link to one, or none, is not believed", () => {
    const { path } = mapOf("1000 10 first\n");
    expect(mapOf("1000 10 first\n", uid + 1).map.find(0x1000n)).toBeUndefined();
    const link = join(folder, "link.map");
    symlinkSync(path, link);
    for (const other of [link, join(folder, "missing.map"), folder]) {
      const map = new PerfMap(other, uid);
      map.refresh();
      expect(map.find(0x1000n)).toBeUndefined();
    }
  });

  test("is where perf looks for it", () => {
    expect(perfMapPath(4711)).toBe("/tmp/perf-4711.map");
  });

  test("names the symbolizer's anonymous memory", async () => {
    const { path } = mapOf("1000 10 generated\n");
    const symbolizer = new Symbolizer({ perfMap: { path, uid } });
    const frames = await symbolizer.resolveAll([
      { module: null, address: 0x1010n },
      { module: null, address: 0x1011n },
    ]);
    await symbolizer.close();
    expect(frames.map(([frame]) => stackLabel(frame!))).toEqual([
      "0x1010:generated",
      "0x1011:[anon]+0x1011",
    ]);
    expect(frames[0]).toEqual([
      {
        address: "0x1010",
        module: "",
        buildId: "",
        offset: "0x1010",
        function: "generated",
        inlined: false,
      },
    ]);
  });
});
