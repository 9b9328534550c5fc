// Where reports go, and that nothing that was measured is lost on the way.
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { RunReport } from "../../src/contract/report.js";
import {
  compileProgram,
  EDLEAK,
  edleakRun,
  leftBehind,
  runToEnd,
  scratch,
  until,
} from "./harness.js";
import { moreSlices, puppetOnTerminal, startPuppet, stateOf } from "./puppet.js";

const here = scratch("outputs");
const at = (name: string): string => join(here.folder, name);
const LEAK = { input: "leak 3 100\nexit 0\n" };

/** Bytes that the JSON report says are alive. */
const liveBytes = (path: string): number =>
  (JSON.parse(readFileSync(path, "utf8")) as RunReport).processes[0]?.totals.liveBytes ?? -1;

const ESCAPE = "\u001b";

beforeAll(() => {
  compileProgram(here, "puppet");
});

describe("a file", () => {
  test("is replaced when the report is whole, and no temporary one stays", async () => {
    mkdirSync(at("out"));
    writeFileSync(at("out/report.json"), "old");
    const options = ["--json", "out/report.json", "--report", "out/report.txt"];
    const end = await edleakRun(here, options, ["./puppet"], LEAK);
    expect(end.code).toBe(0);
    expect(liveBytes(at("out/report.json"))).toBe(300);
    expect(readFileSync(at("out/report.txt"), "utf8")).toContain("300 B live in 3 blocks");
    expect(readdirSync(at("out")).sort()).toEqual(["report.json", "report.txt"]);
    expect(end.stderr).not.toContain("live in");
  });

  test("behind a symbolic link is replaced, not the link", async () => {
    mkdirSync(at("linked"));
    symlinkSync("linked/real.json", at("link.json"));
    await edleakRun(here, ["--json", "link.json"], ["./puppet"], LEAK);
    expect(liveBytes(at("linked/real.json"))).toBe(300);
    expect(statSync(at("link.json")).isFile()).toBe(true);
  });

  test("keeps the umask's mode", async () => {
    const script = `umask 027; "${EDLEAK}" run --quiet --json mode.json -- true`;
    await runToEnd(here, ["sh", "-c", script]);
    expect(statSync(at("mode.json")).mode & 0o777).toBe(0o640);
  });

  test.each([0o600, 0o400])("keeps the mode of the file that is replaced: %o", async (mode) => {
    writeFileSync(at("own.json"), "old");
    chmodSync(at("own.json"), mode);
    await edleakRun(here, ["--quiet", "--json", "own.json"], ["./puppet"], LEAK);
    expect(liveBytes(at("own.json"))).toBe(300);
    expect(statSync(at("own.json")).mode & 0o777).toBe(mode);
    rmSync(at("own.json"));
  });

  test("that is a device is written in place", async () => {
    const end = await edleakRun(here, ["--json", "/dev/null", "--quiet"], ["./puppet"], LEAK);
    expect(end).toMatchObject({ code: 0, stderr: "" });
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });
});

describe("a descriptor", () => {
  test.each([
    ["/dev/stderr", "--report"],
    ["/proc/self/fd/2", "--json"],
    ["link.log", "--report"],
  ])("%s of a file that others write to is written in place", async (name, option) => {
    rmSync(at("link.log"), { force: true });
    symlinkSync("/dev/stderr", at("link.log"));
    // The program writes to the file by the same descriptor, and the shell before and after it.
    const script = `echo first >&2; "${EDLEAK}" run --quiet ${option} ${name} -- sh -c 'echo program >&2; exec ./puppet'; echo last >&2`;
    const end = await runToEnd(here, ["sh", "-c", `exec 2>shared.log; ${script}`], LEAK);
    expect(end).toMatchObject({ code: 0, stdout: expect.stringContaining("leak 3") });
    const lines = readFileSync(at("shared.log"), "utf8").trimEnd().split("\n");
    expect([...lines.slice(0, 2), lines.at(-1)]).toEqual(["first", "program", "last"]);
    const live = option === "--json" ? '"liveBytes": 300' : "300 B live in 3 blocks";
    expect(lines.join("\n")).toContain(live);
    expect(readdirSync(here.folder).filter((file) => file.endsWith(".edleak"))).toEqual([]);
  });

  test("that is a pipe of the shell is written to", async () => {
    const inner = `"${EDLEAK}" run --quiet --json /proc/$$/fd/3 -- ./puppet >&2; exit $?`;
    const script = `sh -c '${inner}' 3>&1 | cat`;
    const { stdout } = await runToEnd(here, ["sh", "-c", script], LEAK);
    const { processes } = JSON.parse(stdout) as RunReport;
    expect(processes[0]?.totals.liveBytes).toBe(300);
  });
});

describe("what can't be written at the end", () => {
  /** The report must be in the folder for temporary files, as the sentence says. */
  function expectRescued(stderr: string): void {
    const path = /it is in "([^"]+)"/.exec(stderr)?.[1] ?? "";
    expect(path).toContain(at("tmp"));
    expect(liveBytes(path)).toBe(300);
    rmSync(path);
  }

  beforeAll(() => {
    mkdirSync(at("tmp"));
  });

  test("for a full disk goes to the folder for temporary files, with status 125", async () => {
    const env = { TMPDIR: at("tmp") };
    const end = await edleakRun(here, ["--json", "/dev/full"], ["./puppet"], { ...LEAK, env });
    expect(end.code).toBe(125);
    expect(end.stderr).toContain('Cannot write "/dev/full": the disk is full');
    expectRescued(end.stderr);
  });

  test("for a folder that has gone does so too", async () => {
    mkdirSync(at("going"));
    const options = ["--json", at("going/out.json")];
    const puppet = await startPuppet(here, options, [], ["env", `TMPDIR=${at("tmp")}`, "./puppet"]);
    puppet.tell("leak 3 100");
    await puppet.said("leak 3");
    rmSync(at("going"), { recursive: true });
    puppet.tell("exit 0");
    const end = await puppet.end;
    expect(end.code).toBe(125);
    const path = /it is in "([^"]+)"/.exec(end.stderr)?.[1] ?? "";
    expect(liveBytes(path)).toBe(300);
    // The sentence names a folder made for it alone.
    expect(readdirSync(dirname(path))).toEqual(["out.json"]);
    rmSync(dirname(path), { recursive: true });
  });
});

describe("a terminal or pipe that vanishes", () => {
  test("doesn't cost the files: nobody reads stderr", async () => {
    const script = `"${EDLEAK}" run --json nobody.json --report nobody.txt -- ./puppet 2>&1 >&- | true`;
    await runToEnd(here, ["sh", "-c", script], LEAK);
    await until("the files", () => readdirSync(here.folder).includes("nobody.txt"));
    expect(liveBytes(at("nobody.json"))).toBe(300);
  });

  test("doesn't cost the files: stdout and stderr are closed", async () => {
    const script = `"${EDLEAK}" run --json closed.json -- sh -c 'exec ./puppet >/dev/null' >&- 2>&-`;
    await runToEnd(here, ["sh", "-c", script], LEAK);
    expect(liveBytes(at("closed.json"))).toBe(300);
  });

  test("doesn't cost the files: the terminal hangs up", async () => {
    const command = [EDLEAK, "run", "--json", at("hangup.json"), "--", "./puppet"];
    const puppet = await puppetOnTerminal(here, command);
    puppet.press("leak 3 100\r");
    await puppet.said(/leak 3\r/);
    puppet.hangUp();
    await until("the program to end", () => ["", "Z"].includes(stateOf(puppet.pid)));
    await until("the file", () => readdirSync(here.folder).includes("hangup.json"));
    expect(liveBytes(at("hangup.json"))).toBe(300);
  });
});

describe("what is said meanwhile", () => {
  test("is nothing with --quiet", async () => {
    const end = await edleakRun(here, ["--quiet"], ["./puppet"], LEAK);
    expect(end).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("leak 3") });
  });

  test("is whole lines without control characters where stderr is no terminal", async () => {
    const end = await edleakRun(here, [], ["./puppet"], LEAK);
    expect(end.stderr).toMatch(/^edleak: watching \.\/puppet \(pid \d+\)\n/);
    expect(end.stderr).not.toContain(ESCAPE);
    expect(end.stderr).not.toContain("\r");
  });

  test("is a live line on a terminal that the program doesn't share", async () => {
    const script = "exec ./puppet <commands >log 2>&1";
    const mkfifo =
      'mkfifo commands; (sleep 600 & echo $! >holder) >commands & echo ready 0; exec "$@"';
    const command = [
      "sh",
      "-c",
      mkfifo,
      "sh",
      EDLEAK,
      "run",
      "--period",
      "20ms",
      "--",
      "sh",
      "-c",
      script,
    ];
    const puppet = await puppetOnTerminal(here, command);
    await puppet.said(/watching sh \(pid \d+\) · slice 3 · /);
    expect(puppet.shown()).toContain(`\r${ESCAPE}[K`);
    process.kill(Number(readFileSync(at("holder"), "utf8")), "SIGTERM");
    await puppet.end;
    // The last thing that happened to the live line is that it was removed.
    expect(puppet.shown().lastIndexOf(`${ESCAPE}[K`)).toBeGreaterThan(
      puppet.shown().lastIndexOf("· slice "),
    );
  });

  test("has no live line on the program's own terminal", async () => {
    const command = [EDLEAK, "run", "--period", "20ms", "--", "./puppet"];
    const puppet = await puppetOnTerminal(here, command);
    await puppet.said("watching");
    await moreSlices(here, 3);
    puppet.press("exit 0\r");
    await puppet.end;
    expect(puppet.shown()).not.toContain(`${ESCAPE}[K`);
  });

  test.each([
    ["colours on a terminal", {}, true],
    ["none with NO_COLOR", { NO_COLOR: "1" }, false],
    ["none with TERM=dumb", { TERM: "dumb" }, false],
  ])("has %s", async (_what, env, coloured) => {
    const puppet = await puppetOnTerminal(here, [EDLEAK, "run", "--", "./puppet"], env);
    puppet.press("exit 0\r");
    await puppet.end;
    await puppet.said("Too short to judge");
    expect(puppet.shown().includes(`${ESCAPE}[1`)).toBe(coloured);
  });

  test("is plain ASCII without a UTF-8 locale, and as wide as COLUMNS", async () => {
    const env = { LANG: "C", COLUMNS: "50" };
    const end = await edleakRun(here, [], ["./puppet"], { ...LEAK, env });
    const report = end.stderr.slice(end.stderr.indexOf("\n\n"));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
    expect(report).toMatch(/^[\x0a\x20-\x7e]+$/);
    const prose = report.split("\n").filter((line) => !/edleak'? run /.test(line));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(50);
    expect(prose.length).toBeGreaterThan(5);
  });
});

test("a working directory that was deleted is no obstacle", async () => {
  const script = `mkdir gone; cd gone; rmdir ../gone; exec "${EDLEAK}" run --quiet --json ${at("gone.json")} -- true`;
  const end = await runToEnd(here, ["sh", "-c", script]);
  expect(end.code).toBe(0);
  expect(liveBytes(at("gone.json"))).toBeGreaterThanOrEqual(0);
  expect(leftBehind(here)).toEqual([]);
});
