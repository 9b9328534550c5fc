/** The launcher by itself: a stand-in for the host talks to it, or only its arguments and environment are looked at. */
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { loadableAgent } from "../../src/session/loadable-agent.js";
import { EDLEAK, ROOT, runToEnd, scratch, start, until } from "../cli/harness.js";

const here = scratch("launch");
const LAUNCHER = join(ROOT, "build/edleak-launch");
const program = (name: string): string => join(import.meta.dirname, name);

/** More than the socket takes of lines that nobody reads. */
const SIGNALS = 400;

test("the end of the target is told to a host that was busy while hundreds of signals came", async () => {
  const launcher = start(here, [
    LAUNCHER,
    "--host",
    "NOT_SET",
    EDLEAK,
    process.execPath,
    program("host.mjs"),
    process.execPath,
    program("target.mjs"),
  ]);
  const told: string[] = [];
  createInterface({ input: launcher.stderr! }).on("line", (line) => told.push(line));
  const end = once(launcher, "close");
  onTestFinished(() => {
    if (launcher.exitCode !== null || launcher.signalCode !== null) return;
    const others = told.flatMap((line) => /^(?:host|started) (\d+)$/.exec(line)?.[1] ?? []);
    for (const pid of [launcher.pid!, ...others.map(Number)]) process.kill(pid, "SIGKILL");
  });
  const said = createInterface({ input: launcher.stdout! })[Symbol.asyncIterator]();
  expect((await said.next()).value).toBe("ready");
  for (let i = 0; i < SIGNALS; i++) {
    launcher.kill("SIGUSR1");
    expect((await said.next()).value).toBe("got");
  }
  launcher.stdin!.end();
  expect((await said.next()).done).toBe(true);
  const [, host] = (await until("the host's pid", () => told[0])).split(" ");
  process.kill(Number(host), "SIGUSR2");
  expect(await end).toEqual([3, null]);
  expect(told[1]).toMatch(/^started \d+$/);
  expect(told.filter((line) => line === "signal 10").length).toBeGreaterThan(100);
  expect(told.at(-1)).toBe("exited 3");
});

test("values of variables that the shell drops reach the target, and no argument of the launcher", async () => {
  const look =
    'console.log(require("fs").readFileSync("/proc/" + process.ppid + "/cmdline", "latin1"));' +
    "console.log(JSON.stringify(process.env));";
  const { stdout, stderr } = await runToEnd(here, [
    ...["env", "a.b=hush", EDLEAK, "run", "--quiet", "--"],
    ...[process.execPath, "-e", look],
  ]);
  expect(stderr).toBe("");
  const [parent = "", own = ""] = stdout.split("\n");
  expect(parent).toContain("--host\0");
  expect(parent).not.toContain("hush");
  expect(own).toContain('"a.b":"hush"');
  expect(own).not.toContain("EDLEAK_CHANGED");
});

test("an agent that is preloaded already gives way to ours, other libraries stay", async () => {
  const agent = loadableAgent(join(ROOT, "build/libedleak.so"), here.env);
  const { stdout } = await runToEnd(
    here,
    [EDLEAK, "run", "--quiet", "--", "sh", "-c", "echo $LD_PRELOAD"],
    { env: { LD_PRELOAD: `libc.so.6 ${agent}:libm.so.6` } },
  );
  expect(stdout).toBe(`${agent}:libc.so.6:libm.so.6\n`);
});
