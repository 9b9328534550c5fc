// The small commands: agent, env, doctor; and an installation in a folder with a space.
import { cpSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunReport } from "../../src/contract/report.js";
import { loadableAgent } from "../../src/session/loadable-agent.js";
import { EDLEAK, ROOT, runToEnd, scratch } from "./harness.js";

const here = scratch("commands");
const AGENT = join(ROOT, "build/libedleak.so");

const edleak = (...args: readonly string[]) => runToEnd(here, [EDLEAK, ...args]);

/** A copy of what an installation needs, under another path. */
function install(
  name: string,
  parts = ["bin", "dist", "build/libedleak.so", "build/edleak-launch"],
): string {
  const folder = join(here.folder, name);
  mkdirSync(join(folder, "build"), { recursive: true });
  for (const part of [...parts, "package.json"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return join(folder, "bin/edleak");
}

test("agent prints the library's path", async () => {
  expect(await edleak("agent")).toMatchObject({ code: 0, stdout: `${AGENT}\n`, stderr: "" });
  expect(statSync(AGENT).isFile()).toBe(true);
});

test.each(["agent", "env", "doctor", "--help", "--version"])(
  "%s says so when nothing can be written to stdout",
  async (command) => {
    const end = await runToEnd(here, ["sh", "-c", `"${EDLEAK}" ${command} >/dev/full`]);
    expect(end.code).toBe(125);
    expect(end.stderr).toContain(
      "edleak: Cannot write to stdout: it is full, or nobody reads it\n",
    );
  },
);

describe("env", () => {
  test("prints lines that load the agent when a shell evals them", async () => {
    const script = `eval "$("${EDLEAK}" env)"; EDLEAK_KEEP=1 sh -c : ; ls "$EDLEAK_DIR"`;
    const end = await runToEnd(here, ["sh", "-c", script]);
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(end.stdout).toMatch(/^[0-9a-f]{8}-\d+-\d+\n/);
  });

  test("keeps what LD_PRELOAD holds, and is the same when said twice", async () => {
    const script = `LD_PRELOAD=libm.so.6; export LD_PRELOAD; eval "$("${EDLEAK}" env)"; eval "$("${EDLEAK}" env)"; echo $LD_PRELOAD`;
    const end = await runToEnd(here, ["sh", "-c", script]);
    expect(end).toMatchObject({
      stdout: `${loadableAgent(AGENT, here.env)}:libm.so.6\n`,
      stderr: "",
    });
  });

  test("quotes whatever a path may hold", async () => {
    const folder = join(here.folder, "it's $HOME `here`");
    mkdirSync(folder, { mode: 0o700 });
    const script = `eval "$("${EDLEAK}" env)"; printf %s "$EDLEAK_DIR"`;
    const end = await runToEnd(here, ["sh", "-c", script], { env: { EDLEAK_DIR: folder } });
    expect(end.stdout).toBe(folder);
  });

  test("edleak run works in a shell that has evaled it", async () => {
    const script = `eval "$("${EDLEAK}" env)"; "${EDLEAK}" run --json evaled.json -- sh -c :`;
    const end = await runToEnd(here, ["sh", "-c", script]);
    expect(end.code).toBe(0);
    const report = JSON.parse(readFileSync(join(here.folder, "evaled.json"), "utf8")) as RunReport;
    expect(report.processes[0]?.totals.allocs).toBeGreaterThan(0);
  });
});

describe("doctor", () => {
  test("finds that edleak can be used here", async () => {
    const end = await edleak("doctor");
    expect(end).toMatchObject({ code: 0, stderr: "" });
    for (const subject of [
      "Node",
      "agent",
      "C library",
      "loading",
      "kernel",
      "/proc",
      "segments",
      "lines",
    ])
      expect(end.stdout).toMatch(new RegExp(`^(ok|warning) +${subject} `, "m"));
    expect(end.stdout).toContain("the agent loads into a program and counts");
    expect(end.stdout).toMatch(/edleak can be used here\.\n$/);
  });

  test("warns when nothing finds lines, and says what would", async () => {
    const folder = join(here.folder, "bare");
    mkdirSync(folder);
    for (const name of ["sh", "dirname", "readlink"])
      symlinkSync(`/usr/bin/${name}`, join(folder, name));
    symlinkSync(process.execPath, join(folder, "node"));
    const end = await runToEnd(here, [EDLEAK, "doctor"], { env: { PATH: folder } });
    expect(end.code).toBe(0);
    expect(end.stdout).toMatch(/warning +lines +neither llvm-symbolizer nor addr2line/);
    expect(end.stdout).toContain("apt-get install binutils");
  });

  test("has a problem with a segment directory that can't be used", async () => {
    writeFileSync(join(here.folder, "plain"), "");
    const env = { EDLEAK_DIR: join(here.folder, "plain") };
    const end = await runToEnd(here, [EDLEAK, "doctor"], { env });
    expect(end.code).toBe(1);
    expect(end.stdout).toMatch(/problem +segments .*it is not a directory/);
    expect(end.stdout).toMatch(/1 problem to solve first\.\n$/);
  });

  test("has a problem with an agent that is not built", async () => {
    const command = install("unbuilt", ["bin", "dist"]);
    const end = await runToEnd(here, [command, "doctor"]);
    expect(end.code).toBe(1);
    expect(end.stdout).toMatch(/problem +agent +not built: .*\n +Run "npm run setup"/);
  });
});

describe("an installation", () => {
  const TARGET = ["sh", "-c", "echo $LD_PRELOAD >&2"];

  test("in a folder that the loader would split uses a private copy of the agent", async () => {
    const command = install("a b:c $HOME");
    const end = await runToEnd(here, [command, "run", "--json", "split.json", "--", ...TARGET]);
    expect(end.code).toBe(0);
    expect(end.stderr).not.toContain("ld.so");
    const copy = /^(\/\S+\/libedleak-[0-9a-f]+\.so)$/m.exec(end.stderr)?.[1] ?? "";
    expect(copy).toContain(join(here.folder, "cache/edleak"));
    expect(statSync(join(copy, "..")).mode & 0o777).toBe(0o700);
    expect(readFileSync(copy)).toEqual(readFileSync(AGENT));
    const report = JSON.parse(readFileSync(join(here.folder, "split.json"), "utf8")) as RunReport;
    expect(report.processes[0]?.totals.allocs).toBeGreaterThan(0);
    // Once more, now that the copy is there.
    expect((await runToEnd(here, [command, "run", "--", ...TARGET])).stderr).toContain(copy);
  });

  test("for which there is no place for a copy says so; by force the program runs unseen", async () => {
    const command = install("d e");
    const bad = join(here.folder, "bad place");
    const env = { XDG_CACHE_HOME: bad, TMPDIR: bad };
    const end = await runToEnd(here, [command, "run", "--", ...TARGET], { env });
    expect(end).toMatchObject({ code: 125, stdout: "" });
    expect(end.stderr).toContain('has a space, colon or "$", and no copy could be made');
    const forced = await runToEnd(here, [command, "run", "--force", "--", ...TARGET], { env });
    expect(forced.code).toBe(0);
    expect(forced.stderr).toContain("UNSEEN");
  });

  test("without an agent says how to build it", async () => {
    const command = install("no agent", ["bin", "dist", "build/edleak-launch"]);
    const end = await runToEnd(here, [command, "run", "--", ...TARGET]);
    expect(end).toMatchObject({ code: 125, stdout: "" });
    expect(end.stderr).toMatch(
      /A part of edleak is missing: .*libedleak\.so"\n +Build it: "npm run setup"/,
    );
  });

  test.each([
    ["the launcher", ["bin", "dist"], "The launcher is not built"],
    ["anything built", ["bin"], "edleak is not built"],
  ])("without %s says how to build it", async (name, parts, sentence) => {
    const command = install(`without ${name}`, parts);
    const end = await runToEnd(here, [command, "run", "--", ...TARGET]);
    expect(end).toMatchObject({ code: 125, stdout: "" });
    expect(end.stderr).toContain(`edleak: ${sentence}: run "npm run setup"`);
  });
});
