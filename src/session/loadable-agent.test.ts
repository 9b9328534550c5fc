// Which library is preloaded: the agent itself, or a private copy that is what it claims to be.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EdLeakError } from "../base/edleak-error.js";
import { loadableAgent } from "./loadable-agent.js";

const CONTENT = "the agent";

let folder = "";
let agent = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edleak-loadable-"));
  mkdirSync(join(folder, "with space"));
  agent = join(folder, "with space/libedleak.so");
  writeFileSync(agent, CONTENT);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const copyOf = (): string => loadableAgent(agent, { XDG_CACHE_HOME: join(folder, "cache") });

/** The copy is the agent, ours alone, and nothing unfinished is beside it. */
function expectCopy(path: string): void {
  const state = lstatSync(path);
  expect(state.isFile()).toBe(true);
  expect(readFileSync(path, "utf8")).toBe(CONTENT);
  expect(state.mode & 0o777).toBe(0o500);
  expect(lstatSync(dirname(path)).mode & 0o777).toBe(0o700);
  expect(readdirSync(dirname(path))).toHaveLength(1);
}

test("a path that the loader can read is used as it is", () => {
  const path = join(folder, "libedleak.so");
  expect(loadableAgent(path, {})).toBe(path);
});

test("a copy is made once", () => {
  const path = copyOf();
  expect(path).toMatch(/\/cache\/edleak\/libedleak-[0-9a-f]{16}\.so$/);
  expectCopy(path);
  const { ino } = lstatSync(path);
  expect(copyOf()).toBe(path);
  expect(lstatSync(path).ino).toBe(ino);
});

test.each<[string, (path: string) => void]>([
  ["of other content", (path) => writeFileSync(path, "planted")],
  ["that is cut short", (path) => writeFileSync(path, CONTENT.slice(0, 3))],
  [
    "that others may write to",
    (path) => {
      writeFileSync(path, CONTENT);
      chmodSync(path, 0o777);
    },
  ],
  ["that is a link", (path) => symlinkSync(agent, path)],
  ["that is a link to nothing", (path) => symlinkSync("nothing", path)],
])("a copy %s is replaced", (_what, plant) => {
  const path = copyOf();
  rmSync(path);
  plant(path);
  chmodSync(dirname(path), 0o777);
  expect(copyOf()).toBe(path);
  expectCopy(path);
  expect(readFileSync(agent, "utf8")).toBe(CONTENT);
});

test("where no copy can be made is said, and nothing is left", () => {
  // A folder under the name of the copy can't be renamed over.
  const path = copyOf();
  rmSync(path);
  mkdirSync(path);
  writeFileSync(join(path, "file"), "");
  // The second choice, the folder for temporary files, has a space in its path.
  const before = process.env.TMPDIR;
  process.env.TMPDIR = join(folder, "with space");
  try {
    expect(copyOf).toThrow(EdLeakError);
    expect(copyOf).toThrow("no copy could be made");
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
  expect(readdirSync(dirname(path))).toHaveLength(1);
  expect(existsSync(join(path, "file"))).toBe(true);
});
