// What can be typed and what it means; each refusal has its own code.
import { describe, expect, test } from "vitest";
import type { EdLeakError } from "../base/edleak-error.js";
import { COMMANDS, RUN_OPTIONS } from "../contract/options.js";
import { parseCommandLine, type Request } from "./command-line.js";

const parse = (...typed: readonly string[]): Request =>
  parseCommandLine(["node", "main.js", ...typed], "1.2.3");

/** Code and sentence of the refusal. */
function refusal(...typed: readonly string[]): string {
  try {
    parse(...typed);
  } catch (error) {
    const { code, message } = error as EdLeakError;
    return `${code}: ${message}`;
  }
  throw new Error("Not refused");
}

function runRequest(...typed: readonly string[]): Request & { command: "run" } {
  const request = parse("run", ...typed);
  if (request.command !== "run") throw new Error(`It is ${request.command}`);
  return request;
}

describe("run", () => {
  test("has the documented defaults", () => {
    expect(runRequest("./server").options).toEqual({
      period: 1,
      duration: null,
      grace: 5,
      json: null,
      report: null,
      failOn: null,
      quiet: false,
      force: false,
    });
  });

  test("reads every option", () => {
    const typed = "--period 500ms --duration 5m --grace=1.5 --json a --report ./b --fail-on likely";
    const { options } = runRequest(...typed.split(" "), "--quiet", "--force", "--", "x");
    expect(options).toEqual({
      period: 0.5,
      duration: 300,
      grace: 1.5,
      json: "a",
      report: "./b",
      failOn: "likely",
      quiet: true,
      force: true,
    });
  });

  test.each([
    [["--", "x", "--period", "0"], ["x", "--period", "0"], 4],
    [["x", "--json", "-"], ["x", "--json", "-"], 3],
    [["--quiet", "x", "--", "y"], ["x", "--", "y"], 4],
    [["--", "--strange", "-h"], ["--strange", "-h"], 4],
    [["--", "x", ""], ["x", ""], 4],
  ])("%j: options end at the first word that is none", (typed, program, programIndex) => {
    expect(runRequest(...typed)).toMatchObject({ program, programIndex });
  });
});

test.each(["doctor", "agent", "env"])("%s takes nothing", (command) => {
  expect(parse(command)).toEqual({ command });
  expect(refusal(command, "now")).toContain("UNEXPECTED_ARGUMENT");
});

describe("print", () => {
  test("the version", () => {
    expect(parse("--version")).toEqual({ command: "print", text: "1.2.3\n" });
  });

  test.each([[[]], [["--help"]], [["help"]]])("%j: help that names every command", (typed) => {
    const request = parse(...typed);
    for (const { name } of COMMANDS)
      expect(request).toHaveProperty("text", expect.stringContaining(name));
  });

  test("help of run that names every option", () => {
    const request = parse("run", "--help");
    expect(request.command).toBe("print");
    for (const { flag } of Object.values(RUN_OPTIONS))
      expect(request).toHaveProperty("text", expect.stringContaining(flag));
  });
});

describe("refused", () => {
  test.each([
    [["run"], "NOTHING_TO_RUN: Nothing to run"],
    [["run", "--"], "NOTHING_TO_RUN: Nothing to run"],
    [["run", "--quiet"], "NOTHING_TO_RUN: Nothing to run"],
    [["rnu", "--", "x"], 'UNKNOWN_COMMAND: Unknown command "rnu"'],
    [["run", "--pediod", "1", "x"], 'UNKNOWN_OPTION: Unknown option "--pediod"'],
    [["run", "-q", "x"], 'UNKNOWN_OPTION: Unknown option "-q"'],
    [["doctor", "--fast"], 'UNKNOWN_OPTION: Unknown option "--fast"'],
    [["run", "--period"], 'VALUE_MISSING: "--period" has no value'],
    [["run", "--json", "--quiet", "x"], 'VALUE_MISSING: "--json" has no value'],
    [["run", "--json=", "x"], 'VALUE_MISSING: "--json" has no value'],
    [
      ["run", "--fail-on", "filling", "x"],
      'CHOICE_REFUSED: "--fail-on" is "filling": it must be likely or confirmed',
    ],
    [
      ["run", "--duration", "500ms", "x"],
      'DURATION_TOO_SHORT: "--duration" (500 ms) is shorter than "--period" (1 s): no slice would be taken',
    ],
  ])("%j", (typed, said) => {
    expect(refusal(...typed)).toBe(said);
  });

  test.each(["0", "NaN", "1e9", "-1", "9ms", "3601", "2h", "soon", "0x10", "1,5"])(
    "--period %s",
    (value) => {
      expect(refusal("run", `--period=${value}`, "x")).toBe(
        `VALUE_REFUSED: "--period" is "${value}": it must be 10 ms to 1 h`,
      );
    },
  );

  test.each(["0", "Infinity", "400d"])("--duration %s", (value) => {
    expect(refusal("run", `--duration=${value}`, "x")).toContain(`VALUE_REFUSED: "--duration"`);
  });

  test.each(["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])(
    "the program's stdout as an output: %s",
    (name) => {
      expect(refusal("run", "--json", name, "x")).toContain('STDOUT_IS_THE_TARGETS: "--json"');
      expect(refusal("run", "--report", name, "x")).toContain('STDOUT_IS_THE_TARGETS: "--report"');
    },
  );
});
