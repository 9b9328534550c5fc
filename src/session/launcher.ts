/**
 * The host's end of the line to the launcher (agent/launch/launch.h has the words): starts the target,
 * signals it, and tells of its life. There is one launcher in a process.
 */
import { Socket } from "node:net";
import { edleakError } from "../base/edleak-error.js";
import type { ProcessExit } from "../contract/report.js";
import { signalName } from "./signal-names.js";

/** Arguments of the launcher in front of Node's: its name, "--host", the environment's difference, the command. */
const LAUNCHER_ARGUMENTS = 4;

/** What the launcher tells, in the order in which it happens. */
export type LauncherEvent =
  | { readonly kind: "stopped" }
  | { readonly kind: "continued" }
  /** The target has ended; the last event about it. */
  | { readonly kind: "ended"; readonly exit: ProcessExit }
  /** A signal that edleak got while the target ran, and dealt with. */
  | { readonly kind: "signal"; readonly number: number }
  /** Somebody wants edleak to end while it makes its report. */
  | { readonly kind: "hurry" }
  /** The launcher itself is gone. */
  | { readonly kind: "lost" };

/** The terminal on stderr: none, with line editing ("cooked"), or taken over by a program ("raw"). */
export interface TerminalState {
  readonly mode: "none" | "cooked" | "raw";
  /** 0 when not known. */
  readonly columns: number;
}

export type StartResult =
  | { readonly started: true; readonly pid: number }
  | { readonly started: false; readonly errno: number };

export class Launcher {
  readonly #socket: Socket;
  #listener: ((event: LauncherEvent) => void) | null = null;
  /** Events from before anybody listened. */
  readonly #waiting: LauncherEvent[] = [];
  /** Questions in the order asked: the launcher answers in the same order. */
  readonly #starts: ((result: StartResult) => void)[] = [];
  readonly #terminals: ((state: TerminalState) => void)[] = [];
  readonly #capabilities: ((has: boolean) => void)[] = [];
  /** Ends the questions that nobody will answer any more. */
  readonly #refusals = new Set<() => void>();
  #rest = "";
  #stopped = false;
  #lost = false;

  private constructor(descriptor: number) {
    this.#socket = new Socket({ fd: descriptor });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text) => this.#onText(String(text)));
    this.#socket.on("error", () => this.#onLost());
    this.#socket.on("close", () => this.#onLost());
  }

  /** Takes the line that the launcher left in the environment; throws when there is none. */
  static connect(env: NodeJS.ProcessEnv = process.env): Launcher {
    const descriptor = Number(env.EDLEAK_CONTROL);
    if (!Number.isSafeInteger(descriptor) || descriptor < 3) {
      throw edleakError("STARTED_WITHOUT_LAUNCHER");
    }
    delete env.EDLEAK_CONTROL;
    return new Launcher(descriptor);
  }

  /** Calls `listener` with every event, those that came before first. There is one listener. */
  listen(listener: (event: LauncherEvent) => void): void {
    this.#listener = listener;
    for (const event of this.#waiting.splice(0)) listener(event);
  }

  /**
   * Starts the target.
   * @param argumentIndex where in process.argv the program's name stands; the launcher has the same
   * arguments byte by byte, while ours went through a text decoder
   */
  start(
    argumentIndex: number,
    options: {
      readonly preload: string | null;
      readonly variables: Readonly<Record<string, string>>;
    },
  ): Promise<StartResult> {
    if (options.preload !== null) this.#say(`preload ${options.preload}`);
    for (const [name, value] of Object.entries(options.variables))
      this.#say(`set ${name}=${value}`);
    return this.#ask(this.#starts, `start ${argumentIndex + LAUNCHER_ARGUMENTS}`);
  }

  /** Sends a signal that is to end the target, while it lives; a stopped one goes on to get it. */
  kill(signal: number): void {
    this.#say(`kill ${signal}`);
    if (this.#stopped) this.wake();
  }

  /** Continues the launcher, which stopped with the target; it then looks how the target is. */
  wake(): void {
    if (!this.#lost) process.kill(process.ppid, "SIGCONT");
  }

  terminal(): Promise<TerminalState> {
    return this.#ask(this.#terminals, "terminal");
  }

  /** Has a file capabilities that exec would grant? */
  hasCapabilities(path: string): Promise<boolean> {
    return path.includes("\n")
      ? Promise.resolve(false)
      : this.#ask(this.#capabilities, `capabilities ${path}`);
  }

  /**
   * Ends edleak: with this status, or as the target ended. Never returns: the launcher ends this process
   * as soon as it reads it, so everything must be written before.
   */
  async end(status: number | null): Promise<never> {
    this.#say(status === null ? "end" : `end ${status}`);
    if (this.#lost) process.exit(status ?? 0);
    return new Promise(() => this.#socket.ref());
  }

  #say(line: string): void {
    if (!this.#lost) this.#socket.write(`${line}\n`, "utf8");
  }

  #ask<T>(queue: ((answer: T) => void)[], line: string): Promise<T> {
    return new Promise((answer, reject) => {
      const refuse = (): void => reject(edleakError("LAUNCHER_LOST"));
      if (this.#lost) return refuse();
      this.#refusals.add(refuse);
      queue.push((value) => {
        this.#refusals.delete(refuse);
        answer(value);
      });
      this.#say(line);
    });
  }

  #onText(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line);
  }

  #onLine(line: string): void {
    const [word, first = "", second = ""] = line.split(" ");
    const number = Number(first);
    switch (word) {
      case "started":
        this.#starts.shift()?.({ started: true, pid: number });
        break;
      case "failed":
        this.#starts.shift()?.({ started: false, errno: number });
        break;
      case "terminal":
        this.#terminals.shift()?.({
          mode: first as TerminalState["mode"],
          columns: Number(second),
        });
        break;
      case "capabilities":
        this.#capabilities.shift()?.(first === "yes");
        break;
      case "stopped":
      case "continued":
        this.#stopped = word === "stopped";
        this.#tell({ kind: word });
        break;
      case "hurry":
        this.#tell({ kind: word });
        break;
      case "exited":
        this.#tell({ kind: "ended", exit: { code: number, signal: null } });
        break;
      case "killed":
        this.#tell({ kind: "ended", exit: { code: null, signal: signalName(number) } });
        break;
      case "signal":
        this.#tell({ kind: "signal", number });
        break;
    }
  }

  #onLost(): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const refuse of this.#refusals) refuse();
    this.#tell({ kind: "lost" });
  }

  #tell(event: LauncherEvent): void {
    if (this.#listener === null) this.#waiting.push(event);
    else this.#listener(event);
  }
}
