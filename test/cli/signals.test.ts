// Signals sent to edleak, keys pressed on its terminal, and the sudden end of one of its processes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  compileProgram,
  EDLEAK,
  ended,
  installed,
  leftBehind,
  scratch,
  start,
  until,
} from "./harness.js";
import {
  childrenOf,
  endProcess,
  moreSlices,
  programOf,
  puppetOnTerminal,
  startPuppet,
  stateOf,
} from "./puppet.js";

const here = scratch("signals");
const CTRL_C = "\u0003";
const CTRL_Z = "\u001a";

beforeAll(() => {
  compileProgram(here, "puppet", ["-g"]);
});

describe("a signal sent to edleak", () => {
  test.each([
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGUSR1", 10],
    ["SIGUSR2", 12],
    ["SIGTERM", 15],
    ["SIGWINCH", 28],
  ] as const)("%s is passed on, once, and edleak goes on", async (name, number) => {
    const puppet = await startPuppet(here, ["--quiet"], [String(number)]);
    puppet.signal(name);
    await puppet.said(`got ${number}`);
    puppet.tell("exit 5");
    const end = await puppet.end;
    expect(end).toMatchObject({ code: 5, signal: null, stderr: "" });
    expect(puppet.count(/got/)).toBe(1);
  });

  test("SIGCONT continues a stopped program", async () => {
    const puppet = await startPuppet(here, ["--quiet"]);
    puppet.tell("stop");
    await until("edleak to stop with it", () => stateOf(puppet.edleakPid) === "T");
    expect(stateOf(puppet.pid)).toBe("T");
    puppet.signal("SIGCONT");
    await puppet.said("stop 0");
    puppet.tell("exit 4");
    expect(await puppet.end).toMatchObject({ code: 4 });
  });

  test("a stopped program that somebody else continues takes edleak with it", async () => {
    const puppet = await startPuppet(here, ["--quiet"]);
    puppet.tell("stop");
    await until("edleak to stop with it", () => stateOf(puppet.edleakPid) === "T");
    process.kill(puppet.pid, "SIGCONT");
    await until("edleak to go on", () => stateOf(puppet.edleakPid) !== "T");
    puppet.tell("exit 4");
    expect(await puppet.end).toMatchObject({ code: 4 });
  });

  test("SIGTERM ends a program that has no handler, and then edleak, with a report", async () => {
    const puppet = await startPuppet(here, []);
    puppet.signal("SIGTERM");
    const end = await puppet.end;
    expect(end).toMatchObject({ code: null, signal: "SIGTERM" });
    expect(end.stderr).toContain("ended by SIGTERM");
    expect(leftBehind(here)).toEqual([]);
  });

  test.skipIf(!installed("env"))("SIGUSR1 opens no debugger, however early it comes", async () => {
    // Blocked, so that the shell of the stub and the program survive it; Node unblocks what it finds.
    const command = ["env", "--block-signal=USR1", EDLEAK, "run", "--quiet", "--", "./puppet"];
    const child = start(here, command);
    const pid = child.pid ?? 0;
    const end = ended(child, "exit 6\n");
    await until("the stub to run", () => programOf(pid) === "edleak");
    let sent = 0;
    const send = setInterval(() => {
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, "SIGUSR1");
      sent++;
    }, 1);
    const { code, signal, stderr } = await end.finally(() => clearInterval(send));
    expect(sent).toBeGreaterThan(10);
    expect({ code, signal, stderr }).toEqual({ code: 6, signal: null, stderr: "" });
  });
});

const hostOf = (edleakPid: number): number => {
  const host = childrenOf(edleakPid).find((pid) => programOf(pid) === "node");
  if (host === undefined) throw new Error("No host among the children");
  return host;
};

describe("the sudden end", () => {
  test("of the host: the program runs on, and its status is edleak's", async () => {
    const puppet = await startPuppet(here, [], ["15"]);
    await puppet.said("watching");
    process.kill(hostOf(puppet.edleakPid), "SIGKILL");
    await puppet.said("unwatched");
    puppet.signal("SIGTERM");
    await puppet.said("got 15");
    puppet.tell("exit 3");
    expect(await puppet.end).toMatchObject({ code: 3, signal: null });
  });

  test("of the launcher: what was measured is written", async () => {
    const json = join(here.folder, "lost.json");
    const puppet = await startPuppet(here, ["--json", json, "--period", "20ms"]);
    puppet.tell("leak 7 100");
    await puppet.said("leak 7");
    const host = hostOf(puppet.edleakPid);
    process.kill(puppet.edleakPid, "SIGKILL");
    await until("the host to end", () => stateOf(host) === "" || stateOf(host) === "Z");
    endProcess(puppet.pid);
    await puppet.said("700 B live in 7 blocks");
    const report = JSON.parse(readFileSync(json, "utf8"));
    expect(report.processes[0].exit).toEqual({ code: null, signal: null });
    expect(report.processes[0].totals.liveBytes).toBe(700);
    expect(leftBehind(here)).toEqual([]);
  });
});

describe("while the report is made", () => {
  /** A line tool that never answers, so that the report can't be made in time. */
  const stuck = (): Readonly<Record<string, string>> => {
    const folder = join(here.folder, "stuck");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "llvm-symbolizer"), "#!/bin/sh\nexec cat >/dev/null\n", {
      mode: 0o700,
    });
    return { PATH: `${folder}:${here.env.PATH}` };
  };

  async function reporting() {
    const puppet = await startPuppet(here, [], [], ["./puppet"], stuck());
    await puppet.said("watching");
    puppet.tell("leak 3 10\nexit 9");
    const host = hostOf(puppet.edleakPid);
    await until("the line tool to start", () => childrenOf(host).length > 0);
    return { puppet, host };
  }

  test("one signal makes the report with what is known", async () => {
    const { puppet } = await reporting();
    puppet.signal("SIGTERM");
    const end = await puppet.end;
    expect(end.code).toBe(9);
    expect(end.stderr).toContain("30 B live in 3 blocks");
  });

  test("two signals do without it; the status is still the program's", async () => {
    const { puppet, host } = await reporting();
    process.kill(host, "SIGSTOP");
    puppet.signal("SIGINT");
    puppet.signal("SIGTERM");
    const end = await puppet.end;
    expect(end.code).toBe(9);
    expect(end.stderr).not.toContain("live in");
  });

  test("a signal that only tells of a hang-up changes nothing", async () => {
    const { puppet } = await reporting();
    puppet.signal("SIGHUP");
    puppet.signal("SIGHUP");
    puppet.signal("SIGTERM");
    const end = await puppet.end;
    expect(end.stderr).toContain("30 B live in 3 blocks");
  });
});

describe("Ctrl-C", () => {
  const run = (args: readonly string[], options: readonly string[] = []) =>
    puppetOnTerminal(here, [EDLEAK, "run", ...options, "--", "./puppet", ...args]);

  test("reaches the program once; edleak waits for it and takes its status", async () => {
    const puppet = await run(["2"]);
    puppet.press(CTRL_C);
    await puppet.said("got 2");
    await puppet.said("Ctrl-C again sends SIGTERM");
    puppet.press("exit 8\r");
    expect(await puppet.end).toMatchObject({ exitCode: 8 });
    expect(puppet.count(/got 2/)).toBe(1);
  });

  test("ends a program that has no handler, and edleak by the same signal, after the report", async () => {
    const puppet = await run([]);
    puppet.press(CTRL_C);
    expect(await puppet.end).toMatchObject({ signal: 2 });
    expect(puppet.shown()).toContain("ended by SIGINT");
  });

  test("is 130 for a shell", async () => {
    const script = `"${EDLEAK}" run --quiet -- ./puppet; echo "status $?"`;
    const puppet = await puppetOnTerminal(here, ["bash", "-c", `trap : INT; ${script}`]);
    puppet.press(CTRL_C);
    await puppet.said("status 130");
    await puppet.end;
  });

  test("a second time sends SIGTERM, a third time SIGKILL, and it stays an interrupt", async () => {
    const puppet = await run(["2", "15"]);
    puppet.press(CTRL_C);
    await puppet.said("got 2");
    await puppet.said("Ctrl-C again sends SIGTERM");
    puppet.press(CTRL_C);
    await puppet.said("got 15");
    await puppet.said("Ctrl-C again sends SIGKILL");
    puppet.press(CTRL_C);
    expect(await puppet.end).toMatchObject({ signal: 2 });
    expect(puppet.shown()).toContain("ended by SIGKILL");
    expect(puppet.count(/got 15/)).toBe(1);
  });

  test("is passed on to a program in a group of its own", async () => {
    const puppet = await run(["2"]);
    puppet.press("group\r");
    await puppet.said("group 0");
    puppet.press(CTRL_C);
    await puppet.said("got 2");
    process.kill(puppet.pid, "SIGKILL");
    await puppet.end;
  });
});

describe("on a terminal", () => {
  test("Ctrl-Z stops both and fg continues both", async () => {
    writeFileSync(join(here.folder, "rc"), 'PS1="prompt> "\n');
    const shell = ["bash", "--noprofile", "--rcfile", "rc", "-i"];
    const terminal = puppetOnTerminal(here, [
      "bash",
      "-c",
      `echo ready 0; exec ${shell.join(" ")}`,
    ]);
    const puppet = await terminal;
    puppet.press(`"${EDLEAK}" run --quiet -- ./puppet\r`);
    await puppet.said(/ready [1-9]/);
    puppet.press(CTRL_Z);
    await puppet.said(/\[1\]\+ +Stopped/);
    puppet.press("fg; echo status $((1 + $?))\r");
    await until("the command line to be echoed", () => puppet.count(/edleak" run/) >= 2);
    puppet.press("exit 6\r");
    await puppet.said("status 7");
    puppet.press("exit\r");
    await puppet.end;
  });

  test("no line of edleak's appears while the program has it in raw mode", async () => {
    const puppet = await puppetOnTerminal(here, [EDLEAK, "run", "--", "./puppet", "1"]);
    await puppet.said("watching");
    puppet.press("raw\r");
    await puppet.said("raw 0");
    const lines = puppet.count(/edleak: /);
    process.kill(puppet.terminal.pid, "SIGHUP");
    await puppet.said("got 1");
    await moreSlices(here, 2);
    expect(puppet.count(/edleak: /)).toBe(lines);
    puppet.press("exit 0\n");
    await puppet.end;
    expect(puppet.shown()).not.toContain("SIGHUP passed on");
  });
});
