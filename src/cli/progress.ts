/**
 * What is said on stderr while the target runs: a live line on a terminal that is ours alone, otherwise
 * whole lines when something changes; nothing while a program draws on the terminal itself.
 */
import { fstatSync, statSync } from "node:fs";
import { counted, formatBytes, formatCount, formatDuration } from "../base/format.js";
import type { Launcher } from "../session/launcher.js";
import type { SessionEvent } from "../session/run-session.js";
import { signalName } from "../session/signal-names.js";
import type { StartedTarget } from "../session/start-target.js";
import { say, shown } from "./say.js";
import { toStderr } from "./streams.js";
import { textOptions } from "./text-options.js";

const STDERR = 2;
const STANDARD_STREAMS = [0, 1, 2];

const CLEAR_LINE = "\r\u001b[K";

export interface ProgressOptions {
  readonly program: readonly string[];
  readonly quiet: boolean;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly grace: number;
}

export class Progress {
  readonly #launcher: Launcher;
  readonly #target: StartedTarget;
  readonly #options: ProgressOptions;
  #presses = 0;
  #slices = 0;
  #ended = false;
  #liveLine = false;
  #said = "";
  /** Lines are written in the order in which they were said, each after a look at the terminal. */
  #turn: Promise<void> = Promise.resolve();

  constructor(launcher: Launcher, target: StartedTarget, options: ProgressOptions) {
    this.#launcher = launcher;
    this.#target = target;
    this.#options = options;
  }

  onEvent(event: SessionEvent): void {
    if (this.#options.quiet || this.#ended) return;
    switch (event.kind) {
      case "noAgent":
        this.#line("its memory is not seen so far: the agent has not appeared in it");
        break;
      case "lostAgent":
        this.#line(`not seen from here on: it became "${event.program}", without the agent`);
        break;
      case "timeOver":
        this.#line(
          `time is over: SIGTERM, and SIGKILL after ${formatDuration(this.#options.grace)}`,
        );
        break;
      case "signal":
        this.#onSignal(event.number);
        break;
      case "progress":
        this.#onProgress(event);
        break;
    }
  }

  /** No more lines; removes the live line. */
  end(): void {
    this.#ended = true;
    this.#clear();
  }

  /** Only of those that may end the program; others (log rotation ...) come all day. */
  #onSignal(number: number): void {
    const name = signalName(number);
    if (name === "SIGINT") this.#onInterrupt();
    else if (name === "SIGTERM" || name === "SIGHUP") this.#line(`${name} passed on`);
  }

  #onInterrupt(): void {
    this.#presses++;
    if (this.#presses === 1) this.#line("waiting for it to end; Ctrl-C again sends SIGTERM");
    if (this.#presses === 2) this.#line("SIGTERM sent; Ctrl-C again sends SIGKILL");
  }

  #onProgress(event: SessionEvent & { readonly kind: "progress" }): void {
    this.#slices++;
    if (this.#slices === 1) this.#line(`watching ${this.#name} (pid ${this.#target.pid})`);
    const leaks = leaksOf(event);
    if (leaks !== this.#said) {
      this.#said = leaks;
      this.#line(`slice ${event.slice}: ${leaks === "" ? "no leak any more" : leaks}`);
    }
    this.#drawLive(event);
  }

  get #name(): string {
    return this.#options.program[0] ?? "";
  }

  #line(text: string): void {
    this.#inTurn(async () => {
      const { mode } = await this.#launcher.terminal();
      if (this.#ended || mode === "raw") return;
      this.#clear();
      say(text);
    });
  }

  #drawLive(event: SessionEvent & { readonly kind: "progress" }): void {
    if (process.env.TERM === "dumb" || !terminalIsOurs(this.#target.pid)) return;
    this.#inTurn(async () => {
      const terminal = await this.#launcher.terminal();
      if (this.#ended || terminal.mode !== "cooked") return;
      const { width, unicode } = textOptions(terminal, this.#options.program);
      const parts = [
        `watching ${this.#name} (pid ${this.#target.pid})`,
        `slice ${event.slice}`,
        `${formatCount(event.allocers)} allocers`,
        `${formatBytes(event.liveBytes)} live`,
      ];
      const line = shown(parts.join(unicode ? " · " : " | ")).slice(0, width - 1);
      toStderr(`${CLEAR_LINE}${line}`);
      this.#liveLine = true;
    });
  }

  #clear(): void {
    if (this.#liveLine) toStderr(CLEAR_LINE);
    this.#liveLine = false;
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(work).catch(() => {});
  }
}

/** "2 leaks confirmed, 1 likely"; "" for none. */
function leaksOf({ leaks }: SessionEvent & { readonly kind: "progress" }): string {
  const { confirmed, likely } = leaks;
  if (confirmed > 0) {
    const more = likely > 0 ? `, ${formatCount(likely)} likely` : "";
    return `${counted(confirmed, "leak")} confirmed${more}`;
  }
  return likely > 0 ? `${counted(likely, "leak")} likely` : "";
}

/** Is the terminal on our stderr none of the target's standard streams? Not when the target can't be asked. */
function terminalIsOurs(pid: number): boolean {
  const ours = deviceOf(() => fstatSync(STDERR));
  const theirs = STANDARD_STREAMS.map((n) => deviceOf(() => statSync(`/proc/${pid}/fd/${n}`)));
  const isKnown = theirs.some((device) => device !== "unknown");
  return typeof ours === "number" && isKnown && !theirs.includes(ours);
}

/** Device number of a terminal or another character device. */
function deviceOf(stat: () => ReturnType<typeof fstatSync>): number | "other" | "unknown" {
  try {
    const state = stat();
    return state.isCharacterDevice() ? Number(state.rdev) : "other";
  } catch {
    return "unknown";
  }
}
