// Which file runs: PATH as execvp searches it, and scripts down to their interpreter.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { EdLeakError } from "../base/edleak-error.js";
import { findProgram } from "./find-program.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "edleak-find-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string, mode = 0o755): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** Stands for a binary: only its first bytes are looked at. */
const ELF = "\x7fELF and more";

function refusal(name: string, path?: string): { code: string; message: string; exit: number } {
  try {
    findProgram(name, path);
  } catch (error) {
    const { code, message, exit } = error as EdLeakError;
    return { code, message, exit };
  }
  throw new Error("Found");
}

describe("a name without a slash", () => {
  test("is the first executable file of that name on PATH", () => {
    file("a/tool", ELF, 0o644);
    mkdirSync(join(folder, "b/tool"), { recursive: true });
    const good = file("c/tool", ELF);
    file("d/tool", ELF);
    const path = ["a", "b", "c", "d"].map((name) => join(folder, name)).join(":");
    expect(findProgram("tool", path)).toEqual({
      name: "tool",
      path: good,
      binary: good,
      isScript: false,
    });
  });

  test("that only files without permission have is not executable; without any, not found", () => {
    file("e/locked", ELF, 0o644);
    expect(refusal("locked", join(folder, "e"))).toMatchObject({
      code: "NOT_EXECUTABLE",
      exit: 126,
    });
    expect(refusal("absent", join(folder, "e"))).toMatchObject({ code: "NOT_FOUND", exit: 127 });
    expect(refusal("", join(folder, "e"))).toMatchObject({ code: "NOT_FOUND" });
  });

  test("is looked for where execvp does when there is no PATH", () => {
    expect(findProgram("sh", undefined).path).toMatch(/^(\/usr)?\/bin\/sh$/);
  });
});

describe("a name with a slash", () => {
  test("is that file, links resolved for the binary", () => {
    const binary = file("f/real", ELF);
    symlinkSync(binary, join(folder, "f/link"));
    expect(findProgram(join(folder, "f/link"), "")).toMatchObject({
      path: join(folder, "f/link"),
      binary,
      isScript: false,
    });
  });

  test("is refused when it is a folder, can't be executed, or isn't there", () => {
    const text = file("g/text", "words", 0o644);
    expect(refusal(folder)).toMatchObject({ code: "NOT_EXECUTABLE", exit: 126 });
    expect(refusal(folder).message).toContain("it is a directory");
    expect(refusal(text).message).toContain("no permission");
    expect(refusal(`${text}/below`)).toMatchObject({ code: "NOT_FOUND", exit: 127 });
  });
});

describe("a script", () => {
  const path = `${join(folder, "bin")}:/usr/bin:/bin`;
  const interpreter = file("bin/lang", ELF);

  test.each([
    ["its interpreter's", `#!${interpreter}\n`],
    ["its interpreter's, with an option", `#! ${interpreter}\t-x \nmore`],
    ["what env finds on PATH", "#!/usr/bin/env lang\n"],
    ["what env finds behind options and variables", "#!/usr/bin/env -S A=1 lang -x\n"],
  ])("has %s binary", (_what, text) => {
    const script = file("script", text);
    expect(findProgram(script, path)).toMatchObject({
      path: script,
      binary: interpreter,
      isScript: true,
    });
  });

  test("is followed through scripts that are interpreters", () => {
    const middle = file("middle", `#!${interpreter}\n`);
    expect(findProgram(file("outer", `#!${middle}\n`), path).binary).toBe(interpreter);
  });

  test("without a first line is the shell's", () => {
    expect(findProgram(file("plain", "echo words\n"), path).binary).toBe(realpathSync("/bin/sh"));
    expect(findProgram(file("empty", ""), path).binary).toBe(realpathSync("/bin/sh"));
  });

  test("that is its own interpreter ends", () => {
    const loop = join(folder, "loop");
    expect(findProgram(file("loop", `#!${loop}\n`), path).binary).toBe(loop);
  });

  test("is refused when its interpreter isn't there or can't run", () => {
    const lost = file("lost", "#!/no/such\n");
    expect(refusal(lost)).toEqual({
      code: "INTERPRETER_NOT_FOUND",
      message: `Interpreter of "${lost}" not found: "/no/such"`,
      exit: 127,
    });
    const locked = file("h/locked", ELF, 0o644);
    expect(refusal(file("shut", `#!${locked}\n`))).toMatchObject({ code: "NOT_EXECUTABLE" });
  });
});
