// A helper that behaves, and helpers that hang, die, talk nonsense or never stop.
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../test/support/elf-programs.js";
import { CoProcess, type Exchange } from "./co-process.js";

/** Only ever passes by the tests' own clock. */
const TIMEOUT_MS = 3_600_000;

const folder = temporaryFolder();
const open: CoProcess[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((process) => process.close()));
});

/** Starts a shell script as the helper; each start adds a line with its pid to `starts`. */
function helper(name: string, script: string): { process: CoProcess; starts: string } {
  const command = join(folder, name);
  const starts = `${command}.starts`;
  writeFileSync(command, `#!/bin/sh\necho $$ >> '${starts}'\n${script}\n`);
  chmodSync(command, 0o755);
  const process = new CoProcess({ command, args: ["an argument"], timeoutMs: TIMEOUT_MS });
  open.push(process);
  return { process, starts };
}

const pidsIn = (starts: string): readonly number[] =>
  existsSync(starts) ? (readFileSync(starts, "utf8").match(/\d+(?=\n)/g) ?? []).map(Number) : [];

/** Asks for `count` lines and gives them. */
function request(input: string, count: number): { exchange: Exchange; lines: string[] } {
  const lines: string[] = [];
  const accept = (line: string): "more" | "done" | "garbage" => {
    if (!line.startsWith("ok")) return "garbage";
    lines.push(line);
    return lines.length === count ? "done" : "more";
  };
  return { exchange: { input, accept }, lines };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("Waited 30 s for nothing");
    await pause(5);
  }
}

const ECHO = 'while read -r line; do echo "ok $line"; done';
const SILENT = "exec cat > /dev/null";

describe("a co-process", () => {
  test("answers requests one after the other, from one start", async () => {
    const { process, starts } = helper("echo", ECHO);
    const requests = [request("a\nb\n", 2), request("c\n", 1), request("d\ne\nf\n", 3)];
    const outcomes = await Promise.all(requests.map(({ exchange }) => process.ask(exchange)));
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
    expect(requests.map(({ lines }) => lines)).toEqual([
      ["ok a", "ok b"],
      ["ok c"],
      ["ok d", "ok e", "ok f"],
    ]);
    expect(pidsIn(starts)).toHaveLength(1);
  });

  test("takes an answer larger than a pipe holds", async () => {
    const { process } = helper("large", "exec sed -u 's/^/ok /'");
    const { exchange, lines } = request(`${"x".repeat(100)}\n`.repeat(5000), 5000);
    expect(await process.ask(exchange)).toEqual({ ok: true, value: null });
    expect(lines).toHaveLength(5000);
  });

  test("takes the last answer of a program that then ends", async () => {
    const { process, starts } = helper("once", 'read -r line; echo "ok $line"');
    expect((await process.ask(request("a\n", 1).exchange)).ok).toBe(true);
    await until(() => pidsIn(starts).every((pid) => !isAlive(pid)));
    expect((await process.ask(request("b\n", 1).exchange)).ok).toBe(true);
    expect(pidsIn(starts)).toHaveLength(2);
  });

  test("that never answers is killed after its time, and the next request starts another", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { process, starts } = helper("silent", SILENT);
    for (const expected of [1, 2]) {
      const outcome = process.ask(request("a\n", 1).exchange);
      await until(() => pidsIn(starts).length === expected);
      vi.advanceTimersByTime(TIMEOUT_MS);
      expect(await outcome).toEqual({ ok: false, reason: "timed-out" });
    }
    await until(() => pidsIn(starts).every((pid) => !isAlive(pid)));
  });

  test("that is a script around another program is killed with it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const starts = join(folder, "around.starts");
    const { process } = helper(
      "around",
      `exec 3<&0; cat <&3 >/dev/null & echo $! >> '${starts}'; wait`,
    );
    const outcome = process.ask(request("a\n", 1).exchange);
    await until(() => pidsIn(starts).length === 2);
    vi.advanceTimersByTime(TIMEOUT_MS);
    expect(await outcome).toEqual({ ok: false, reason: "timed-out" });
    await until(() => pidsIn(starts).every((pid) => !isAlive(pid)));
  });

  test.each([
    ["ends at once", "exit 3"],
    ["dies in mid-answer", 'read -r line; echo "ok 1"; kill -9 $$'],
  ])("that %s fails the request", async (name, script) => {
    const { process } = helper(name.replaceAll(" ", "-"), script);
    const outcome = await process.ask(request("a\n", 2).exchange);
    expect(outcome).toEqual({ ok: false, reason: "ended" });
  });

  test("that is no program fails the request", async () => {
    for (const command of [join(folder, "missing"), folder]) {
      const process = new CoProcess({ command, args: [], timeoutMs: TIMEOUT_MS });
      const outcome = await process.ask(request("a\n", 1).exchange);
      expect(outcome).toEqual({ ok: false, reason: "ended" });
      await process.close();
    }
  });

  test("that talks nonsense is killed", async () => {
    const { process, starts } = helper("nonsense", `echo hello; ${SILENT}`);
    const outcome = await process.ask(request("a\n", 1).exchange);
    expect(outcome).toEqual({ ok: false, reason: "garbage" });
    await until(() => pidsIn(starts).every((pid) => !isAlive(pid)));
  });

  test("that never ends its line is killed", async () => {
    const { process, starts } = helper("endless", "exec tr '\\0' x < /dev/zero");
    const outcome = await process.ask(request("a\n", 1).exchange);
    expect(outcome).toEqual({ ok: false, reason: "too-long" });
    await until(() => pidsIn(starts).every((pid) => !isAlive(pid)));
  });

  test("that says more than it was asked fails the next request, and then starts anew", async () => {
    const { process, starts } = helper(
      "talks",
      'while read -r line; do echo "ok $line\nok more"; done',
    );
    expect((await process.ask(request("a\n", 1).exchange)).ok).toBe(true);
    await until(() => pidsIn(starts).every((pid) => !isAlive(pid)));
    const next = await process.ask(request("b\n", 1).exchange);
    expect(next).toEqual({ ok: false, reason: "garbage" });
    expect((await process.ask(request("c\n", 1).exchange)).ok).toBe(true);
    expect(pidsIn(starts)).toHaveLength(2);
  });

  test("closed under way fails the request and those that wait, and is gone", async () => {
    const { process, starts } = helper("closed", `echo "ok 1"; ${SILENT}`);
    const { exchange, lines } = request("a\n", 2);
    const pending = [process.ask(exchange), process.ask(request("b\n", 1).exchange)];
    await until(() => lines.length === 1);
    await process.close();
    const closed = { ok: false, reason: "closed" };
    expect(await Promise.all(pending)).toEqual([closed, closed]);
    expect(await process.ask(request("c\n", 1).exchange)).toEqual(closed);
    expect(pidsIn(starts).map(isAlive)).toEqual([false]);
  });

  test("has its arguments, a session of its own, and none of edleak's variables", async () => {
    process.env.EDLEAK_DIR = "/somewhere";
    process.env.DEBUGINFOD_URLS = "http://192.0.2.1/";
    try {
      const script = `
        echo "ok $1 [$LD_PRELOAD] [$EDLEAK_DIR] [$DEBUGINFOD_URLS] $LC_ALL $(pwd)"
        read -r pid _ _ _ group session _ < /proc/$$/stat; echo "ok $((pid - group)) $((pid - session))"`;
      const { process } = helper("env", script);
      const { exchange, lines } = request("", 2);
      expect((await process.ask(exchange)).ok).toBe(true);
      expect(lines).toEqual(["ok an argument [] [] [] C /", "ok 0 0"]);
    } finally {
      delete process.env.EDLEAK_DIR;
      delete process.env.DEBUGINFOD_URLS;
    }
  });
});
