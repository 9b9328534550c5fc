/** Drives test/cli/programs/puppet.c under edleak, word by word, through pipes or on a terminal. */
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { type IPty, spawn as spawnPty } from "@lydell/node-pty";
import { CONTROL, CONTROL_OFFSET } from "../../src/contract/segment.js";
import { EDLEAK, type Ended, type Scratch, start, until } from "./harness.js";

/** A running puppet; what is read accumulates. */
export interface Puppet {
  /** Of edleak: what a user signals. */
  readonly edleakPid: number;
  /** Of the puppet itself. */
  readonly pid: number;
  /** Waits until the puppet or edleak has said it. */
  readonly said: (what: string | RegExp) => Promise<void>;
  readonly tell: (words: string) => void;
  /** How often the puppet or edleak has said it so far. */
  readonly count: (what: RegExp) => number;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly end: Promise<Ended>;
}

const isSaid = (text: string, what: string | RegExp): boolean =>
  typeof what === "string" ? text.includes(what) : what.test(text);

const readyPid = (text: string): number | null => {
  const match = /ready (\d+)\r?\n/.exec(text);
  return match === null ? null : Number(match[1]);
};

/**
 * @param args of the puppet: the signals that it counts, "ignore" and those that it ignores
 * @param program what starts the puppet
 */
export async function startPuppet(
  where: Scratch,
  options: readonly string[],
  args: readonly string[] = [],
  program: readonly string[] = ["./puppet"],
  env: Readonly<Record<string, string>> = {},
): Promise<Puppet> {
  const child = start(where, [EDLEAK, "run", ...options, "--", ...program, ...args], { env });
  const text = { stdout: "", stderr: "" };
  collect(child, text);
  const end = new Promise<Ended>((done) => {
    child.on("close", (code, signal) => done({ code, signal, ...text }));
  });
  const both = (): string => text.stdout + text.stderr;
  const pid = await until("the puppet to be ready", () => readyPid(text.stdout));
  return {
    edleakPid: child.pid ?? 0,
    pid,
    said: (what) => until(String(what), () => isSaid(both(), what)).then(() => {}),
    tell: (words) => child.stdin?.write(`${words}\n`),
    count: (what) => both().match(new RegExp(what, `g${what.flags}`))?.length ?? 0,
    signal: (name) => process.kill(child.pid ?? 0, name),
    end,
  };
}

function collect(child: ChildProcess, text: { stdout: string; stderr: string }): void {
  child.stdin?.on("error", () => {});
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (more: string) => {
      text[name] += more;
    });
  }
}

export interface TerminalPuppet {
  readonly pid: number;
  readonly said: (what: string | RegExp) => Promise<void>;
  readonly count: (what: RegExp) => number;
  /** Presses keys: "\x03" is Ctrl-C. */
  readonly press: (keys: string) => void;
  /** Everything on the terminal so far, what was typed included. */
  readonly shown: () => string;
  /** Closes the terminal, as a dropped connection does. */
  readonly hangUp: () => void;
  readonly terminal: IPty;
  readonly end: Promise<{ readonly exitCode: number; readonly signal: number }>;
}

/** Runs a command line on a terminal of its own and waits for the puppet that it starts. */
export async function puppetOnTerminal(
  { folder, env }: Scratch,
  command: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<TerminalPuppet> {
  const [program = "", ...args] = command;
  const terminal = spawnPty(program, args, { cwd: folder, env: { ...env, ...more }, cols: 120 });
  let text = "";
  terminal.onData((shown) => {
    text += shown;
  });
  const end = new Promise<{ exitCode: number; signal: number }>((done) => {
    terminal.onExit(({ exitCode, signal }) => done({ exitCode, signal: signal ?? 0 }));
  });
  const pid = await until("the puppet to be ready", () => readyPid(text));
  return {
    pid,
    said: (what) => until(String(what), () => isSaid(text, what)).then(() => {}),
    count: (what) => text.match(new RegExp(what, `g${what.flags}`))?.length ?? 0,
    press: (keys) => terminal.write(keys),
    shown: () => text,
    hangUp: () => (terminal as IPty & { destroy: () => void }).destroy(),
    terminal,
    end,
  };
}

const HEARTBEAT =
  CONTROL_OFFSET + (CONTROL.fields.find(({ name }) => name === "leaseHeartbeat")?.offset ?? 0);

/** Slices that the owner of the only segment in the directory has taken so far. */
export function slicesTaken({ segments }: Scratch): number {
  const name = readdirSync(segments).find((file) => /-\d+$/.test(file));
  if (name === undefined) return 0;
  const file = openSync(join(segments, name), "r");
  const bytes = Buffer.alloc(8);
  readSync(file, bytes, 0, bytes.length, HEARTBEAT);
  closeSync(file);
  return Number(bytes.readBigUInt64LE());
}

/** Waits for more slices: what was said before is in the last of them. */
export async function moreSlices(where: Scratch, count: number): Promise<void> {
  const before = slicesTaken(where);
  await until(`${count} slices more`, () => slicesTaken(where) >= before + count);
}

/** Children of a process, by /proc. */
export function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Kills a process that may be gone already. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone.
  }
}

/** Name of a process's program, "" when it is gone. */
export function programOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

/** One letter: R running, S sleeping, T stopped, Z dead; "" when it is gone. */
export function stateOf(pid: number): string {
  try {
    return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}
