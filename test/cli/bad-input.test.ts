// What edleak refuses: one sentence and advice each, status 125, and the program never starts.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { EDLEAK, type Ended, edleakRun, ROOT, runToEnd, scratch } from "./harness.js";

const here = scratch("bad-input");
const TOUCH = ["sh", "-c", "echo started"];

/** A refusal is two lines on stderr, nothing on stdout, and its own status. */
function expectRefusal(end: Ended, sentence: string, code = 125): void {
  expect(end.stdout).toBe("");
  expect(end.stderr).toContain(`edleak: ${sentence}`);
  expect(end.stderr.trimEnd().split("\n")).toHaveLength(2);
  expect({ code: end.code, signal: end.signal }).toEqual({ code, signal: null });
}

const run = (...options: readonly string[]): Promise<Ended> => edleakRun(here, options, TOUCH);
const edleak = (...args: readonly string[]): Promise<Ended> => runToEnd(here, [EDLEAK, ...args]);

describe("the command line", () => {
  // All cases are in src/cli/command-line.test.ts.
  test.each([
    ["nothing to run", ["run"], "Nothing to run"],
    ["an option that is none", ["run", "--pediod", "1", "true"], 'Unknown option "--pediod"'],
    ["a period of nothing", ["run", "--period", "0", "true"], '"--period" is "0": it must be'],
    ["its stdout as an output", ["run", "--json", "-", "true"], '"--json" is stdout'],
  ])("%s", async (_what, args, sentence) => {
    expectRefusal(await edleak(...args), sentence);
  });

  test("options end at the first word that is none", async () => {
    const end = await edleak("run", "--quiet", "echo", "--period", "0");
    expect(end).toMatchObject({ code: 0, stdout: "--period 0\n" });
  });
});

describe("outputs", () => {
  test.each([
    ["in a folder that is not there", "no/such/folder/out.json", "its folder does not exist"],
    ["that is a folder", ".", "it is a directory"],
    ["below a file", "file/out.json", "its folder is not a directory"],
  ])("a file %s", async (_what, name, why) => {
    writeFileSync(join(here.folder, "file"), "");
    expectRefusal(await run("--json", name), `Cannot write "${name}": ${why}`);
  });

  test("a file where nobody may make one", async () => {
    expectRefusal(await run("--report", "/sys/out.txt"), 'Cannot write "/sys/out.txt": ');
  });

  test.each([
    ["/dev/../dev/stdout", '"--json" is stdout'],
    ["/proc/thread-self/fd/1", '"--json" is stdout'],
    ["/dev/fd/63", 'Cannot write "/dev/fd/63": edleak has no descriptor but stderr'],
    ["/proc/self/fd/0", 'Cannot write "/proc/self/fd/0": edleak has no descriptor but stderr'],
  ])("the descriptor %s", async (name, sentence) => {
    expectRefusal(await run("--json", name), sentence);
  });

  test("a file by another process's descriptor", async () => {
    const script = `exec 3>kept.log; echo kept >&3; "${EDLEAK}" run --json /proc/$$/fd/3 -- echo started`;
    expectRefusal(await runToEnd(here, ["sh", "-c", `${script}; exit $?`]), 'Cannot write "/proc/');
    expect(readFileSync(join(here.folder, "kept.log"), "utf8")).toBe("kept\n");
  });

  test("two names of stderr", async () => {
    const end = await run("--json", "/dev/stderr", "--report", "/proc/self/fd/2");
    expectRefusal(end, '"--json" and "--report" are the same file');
  });

  test("two outputs to one file", async () => {
    symlinkSync("same.out", join(here.folder, "link.out"));
    const end = await run("--json", "same.out", "--report", "link.out");
    expectRefusal(end, '"--json" and "--report" are the same file');
  });
});

describe("names that would act on a terminal", () => {
  const ESCAPE = "\u001b";

  test.each([
    ["a program", ["run", "--", `./${ESCAPE}[31m`], 'Program not found: "./\\x1b[31m"', 127],
    ["an option", ["run", `--${ESCAPE}]0;x\u0007`], 'Unknown option "--\\x1b]0;x\\x07"', 125],
    ["a line end", ["run", "--", "./a\nedleak: b"], 'Program not found: "./a edleak: b"', 127],
  ])("%s", async (_what, args, sentence, code) => {
    const end = await edleak(...args);
    expectRefusal(end, sentence, code);
    expect(end.stderr).not.toContain(ESCAPE);
  });

  test("an interpreter in a script's first line", async () => {
    writeFileSync(join(here.folder, "script"), `#!/no/${ESCAPE}[2Jshell\n`, { mode: 0o700 });
    const end = await edleak("run", "--", "./script");
    expectRefusal(end, 'Interpreter of "', 127);
    expect(end.stderr).toContain('not found: "/no/\\x1b[2Jshell"');
  });
});

describe("where it runs", () => {
  test("under edleak run", async () => {
    const end = await edleakRun(here, ["--quiet"], [EDLEAK, "run", "--", ...TOUCH]);
    expectRefusal(end, 'Refused to run edleak under "edleak run"');
  });

  test.each([
    ["a file", "plain", "it is not a directory"],
    ["below a file", "plain/below", "the system says ENOTDIR"],
    ["open to others", "open", "its mode is 755, not 700"],
  ])("with a segment directory that is %s", async (_what, name, why) => {
    writeFileSync(join(here.folder, "plain"), "");
    mkdirSync(join(here.folder, "open"), { recursive: true });
    chmodSync(join(here.folder, "open"), 0o755);
    const path = join(here.folder, name);
    const env = { EDLEAK_DIR: path };
    const end = await edleakRun(here, [], TOUCH, { env });
    expectRefusal(end, `Cannot keep counters in "${path}": ${why}`);
    const forced = await edleakRun(here, ["--force"], TOUCH, { env });
    expect(forced).toMatchObject({ code: 0, stdout: "started\n" });
    expect(forced.stderr).toContain("UNSEEN");
  });

  test("without the launcher", async () => {
    const main = join(ROOT, "dist/cli/main.js");
    const end = await runToEnd(here, [process.execPath, main, "run", "--", ...TOUCH]);
    expectRefusal(end, "This is the host alone");
  });
});

describe("in a working folder that was deleted", () => {
  /** Runs edleak there, without what the shell says of it. */
  const gone = async (args: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> => {
    const end = await runToEnd(
      here,
      ["sh", "-c", `mkdir gone; cd gone; rmdir ../gone; "${EDLEAK}" ${args}`],
      { env },
    );
    return { ...end, stderr: end.stderr.replace(/^sh: .*getcwd.*\n/, "") };
  };
  const TO = "leads nowhere";

  test("an output", async () => {
    const end = await gone("run --json out.json -- echo started");
    expectRefusal(end, `The working folder was deleted: "out.json" ${TO}`);
  });

  test.each(["run -- echo started", "env"])("a relative EDLEAK_DIR: %s", async (args) => {
    const sentence = `The working folder was deleted: "segments" ${TO}`;
    expectRefusal(await gone(args, { EDLEAK_DIR: "segments" }), sentence);
  });

  test("a program is not found, as by a shell", async () => {
    expectRefusal(await gone("run -- ./server"), 'Program not found: "./server"', 127);
    expectRefusal(
      await gone("run -- server", { PATH: `.:${process.env.PATH}` }),
      'Program not found: "server"',
      127,
    );
  });
});

describe("the stub", () => {
  let tools = "";
  beforeAll(() => {
    tools = join(here.folder, "tools");
    mkdirSync(tools);
    for (const name of ["dirname", "readlink"]) symlinkSync(`/usr/bin/${name}`, join(tools, name));
  });

  /** Runs edleak with a Node that believes to be `version`; without one when it is null. */
  const withNode = (version: string | null, ...args: readonly string[]): Promise<Ended> => {
    const folder = mkdtempSync(join(here.folder, "node-"));
    if (version !== null) {
      const preload = join(folder, "version.cjs");
      const versions = `{ ...process.versions, node: "${version}" }`;
      writeFileSync(preload, `Object.defineProperty(process, "versions", { value: ${versions} });`);
      const node = `#!/bin/sh\nexec "${process.execPath}" -r "${preload}" "$@"\n`;
      writeFileSync(join(folder, "node"), node, { mode: 0o700 });
    }
    return runToEnd(here, ["/bin/sh", EDLEAK, ...args], { env: { PATH: `${folder}:${tools}` } });
  };

  function expectOneLine(end: Ended, sentence: string): void {
    expect(end).toMatchObject({ code: 125, signal: null, stdout: "" });
    expect(end.stderr).toMatch(/^edleak: [^\n]+\n$/);
    expect(end.stderr).toContain(sentence);
  }

  test("says in one line that there is no Node", async () => {
    expectOneLine(await withNode(null, "doctor"), "Node is not installed: edleak needs Node 20.19");
  });

  test.each([
    ["18.20.4", ["doctor"]],
    ["20.9.0", ["doctor"]],
    ["8.0.0", ["--version"]],
    ["20.18.3", ["run", "--", ...TOUCH]],
  ])("says in one line that Node %s is too old: %s", async (version, args) => {
    const end = await withNode(version, ...args);
    expectOneLine(end, `Node is ${version} and must be 20.19 or newer`);
  });

  test.each(["20.19.0", "20.100.1", "22.1.0", "100.0.0"])("accepts Node %s", async (version) => {
    const end = await withNode(version, "--version");
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(end.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("the file that old Nodes read has no syntax that they don't know", () => {
    const text = readFileSync(join(ROOT, "bin/edleak.cjs"), "utf8").replace(/^ *\/\/.*$/gm, "");
    expect(text).not.toMatch(/import|await|\?\.|\?\?|\.\.\.|,\s*\)/);
  });
});
