/**
 * A helper program that stays open and answers requests line by line, one request at a time.
 *
 * Whatever goes wrong (no answer in time, end of the program, an answer that makes no sense or has
 * no end) fails that one request with a tagged reason and kills the program; the next request
 * starts a new one. How often that may happen is for the caller to say.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { ok, type Result, refused } from "../base/result.js";
import { helperEnv } from "./helper-env.js";

export type ExchangeFailure = "timed-out" | "ended" | "garbage" | "too-long" | "closed";

/** One request: what to write, and what to make of each line of the answer. */
export interface Exchange {
  readonly input: string;
  /** Called for each line; "done" ends the request. */
  readonly accept: (line: string) => "more" | "done" | "garbage";
}

export interface CoProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** Milliseconds for one request. */
  readonly timeoutMs: number;
}

type Outcome = Result<null, ExchangeFailure>;

const ANSWER_LIMIT_BYTES = 32 * 1024 * 1024;
const NEWLINE = 10;

export class CoProcess {
  readonly #options: CoProcessOptions;
  #child: ChildProcess | null = null;
  #queue: Promise<unknown> = Promise.resolve();
  #finish: ((outcome: Outcome) => void) | null = null;
  #exchange: Exchange | null = null;
  #rest: Buffer[] = [];
  #answered = 0;
  #spokeUnasked = false;
  #closed = false;

  constructor(options: CoProcessOptions) {
    this.#options = options;
  }

  /** Sends one request and feeds its answer to `accept`. Requests wait for each other. */
  ask(exchange: Exchange): Promise<Outcome> {
    const answer = this.#queue.then(() => this.#run(exchange));
    this.#queue = answer;
    return answer;
  }

  /** Ends the program, so that the next request starts a new one with nothing remembered. */
  async restart(): Promise<void> {
    const child = this.#child;
    this.#fail("ended");
    if (child !== null) await exitOf(child);
  }

  /** Kills the program and waits for its end; a request under way, and any later one, fails. */
  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    this.#fail("closed");
    if (child !== null) await exitOf(child);
  }

  #run(exchange: Exchange): Promise<Outcome> {
    if (this.#closed) return Promise.resolve(refused("closed"));
    if (this.#spokeUnasked) {
      this.#spokeUnasked = false;
      return Promise.resolve(refused("garbage"));
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#fail("timed-out"), this.#options.timeoutMs);
      this.#finish = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.#exchange = exchange;
      this.#answered = 0;
      this.#child ??= this.#start();
      // No pipe when the host is out of descriptors; the "error" event then ends the request.
      this.#child?.stdin?.write(exchange.input);
    });
  }

  #start(): ChildProcess | null {
    const { command, args } = this.#options;
    let child: ChildProcess;
    try {
      child = spawn(command, args, {
        stdio: ["pipe", "pipe", "ignore"],
        env: helperEnv(process.env),
        cwd: "/",
        // A session of its own: Ctrl-C at the terminal must not take the names from the last report.
        detached: true,
      });
    } catch {
      this.#fail("ended");
      return null;
    }
    const ended = (): void => {
      if (this.#child === child) this.#fail("ended");
    };
    child.on("error", ended);
    // Under way "exit" is too early: the end of an answer may still be in the pipe.
    child.on("close", ended);
    child.on("exit", () => {
      if (this.#exchange === null) ended();
    });
    // A closed stdin says nothing yet: the program may have answered, and then ends or hangs.
    child.stdin?.on("error", () => {});
    child.stdout?.on("error", ended);
    child.stdout?.on("data", (bytes: Buffer) => {
      if (this.#child === child) this.#receive(bytes);
    });
    unrefAll(child);
    return child;
  }

  #receive(bytes: Buffer): void {
    this.#answered += bytes.length;
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...this.#rest, bytes.subarray(from, end)]).toString("utf8");
      this.#rest = [];
      from = end + 1;
      this.#takeLine(line);
      if (this.#child === null) return;
    }
    if (from < bytes.length) this.#rest.push(bytes.subarray(from));
    if (this.#answered > ANSWER_LIMIT_BYTES) this.#fail("too-long");
  }

  #takeLine(line: string): void {
    const verdict = this.#exchange?.accept(line);
    if (verdict === undefined) this.#failNext();
    if (verdict === "garbage") this.#fail("garbage");
    if (verdict === "done") this.#end(ok(null));
  }

  /** It said more than it was asked: what it says next can't be told from that. */
  #failNext(): void {
    this.#spokeUnasked = true;
    this.#kill();
  }

  #fail(reason: ExchangeFailure): void {
    this.#kill();
    this.#end(refused(reason));
  }

  #end(outcome: Outcome): void {
    const finish = this.#finish;
    this.#finish = null;
    this.#exchange = null;
    finish?.(outcome);
  }

  #kill(): void {
    if (this.#child !== null) killGroup(this.#child);
    this.#child = null;
    this.#rest = [];
  }
}

const isRunning = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

/** The whole session that `detached` made: the program may be a script around the real one. */
function killGroup(child: ChildProcess): void {
  if (!isRunning(child)) return;
  try {
    process.kill(-child.pid!, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

function exitOf(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return Promise.resolve();
  child.ref();
  return new Promise((done) => child.once("exit", () => done()));
}

/** An idle helper never keeps the host alive; a request under way does, by its timer. */
function unrefAll(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) {
    (stream as { readonly unref?: () => void } | null)?.unref?.();
  }
}
