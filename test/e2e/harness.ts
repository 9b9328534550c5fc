/**
 * Drives a program with the agent preloaded step by step: a command on its stdin, its answer, then a
 * slice on demand. No clock takes part, so results are exact and fast.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Frame } from "../../src/contract/report.js";
import type { Slice } from "../../src/contract/slice.js";
import { type AllocerResult, judge, Pipeline } from "../../src/pipeline/index.js";
import {
  claimSegment,
  findSegments,
  type OpenSegment,
  openSegment,
  type SegmentOwner,
} from "../../src/segment/index.js";
import { loadableAgent } from "../../src/session/loadable-agent.js";
import { Symbolizer } from "../../src/symbols/index.js";

export const ROOT = resolve(import.meta.dirname, "../..");
/** Also from a clone whose path the loader could not read. */
export const AGENT = loadableAgent(join(ROOT, "build/libedleak.so"));

/** Milliseconds after which something that must happen has failed; nothing is measured by it. */
const DEADLINE_MS = 120_000;
const LIBRARY_FOLDERS = ["x86_64-linux-gnu", "aarch64-linux-gnu", "."].map(
  (name) => `/usr/lib/${name}`,
);

/** Path of an installed shared library, null when it is missing. */
export const findLibrary = (name: string): string | null =>
  LIBRARY_FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;

/** Path of a program on PATH, null when it is missing. */
export const findProgram = (name: string): string | null =>
  (process.env.PATH ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path)) ?? null;

export interface StartOptions {
  /** Libraries to preload behind the agent. */
  readonly preload?: readonly string[];
  /** Seconds from one slice to the next, as the verdicts see them; default 1. */
  readonly secondsPerSlice?: number;
}

/** An allocer with its verdict and its names. */
export interface NamedResult extends AllocerResult {
  /** Inlined calls first, the function that called last; empty when the key is. */
  readonly frames: readonly Frame[];
  /** The innermost frame's function with scope and without parameters: "Codec::ParseHeader"; "" when unknown. */
  readonly function: string;
  /** "file.cc:12" of the innermost frame; "" when unknown. */
  readonly place: string;
}

/** A program under the agent, and what the host makes of its segment. */
export class DrivenTarget {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #folder: string;
  readonly #run: string;
  readonly #secondsPerSlice: number;
  readonly #lines: string[] = [];
  readonly #waiting: (() => void)[] = [];
  #stderr = "";
  #ended: string | null = null;
  #segment: OpenSegment | null = null;
  #owner: SegmentOwner | null = null;
  readonly #slices: Slice[] = [];
  readonly pipeline = new Pipeline(judge);

  /** Starts the program; `attach` connects to its segment once it has answered for the first time. */
  constructor(command: readonly string[], options: StartOptions = {}) {
    if (!existsSync(AGENT)) throw new Error(`No agent at ${AGENT}: npm run setup builds it`);
    const [program = "", ...args] = command;
    this.#folder = mkdtempSync(join(tmpdir(), "edleak-e2e-"));
    mkdirSync(join(this.#folder, "segments"), { mode: 0o700 });
    this.#run = `e2e-${process.pid}`;
    this.#secondsPerSlice = options.secondsPerSlice ?? 1;
    this.#child = spawn(program, args, {
      cwd: this.#folder,
      env: {
        PATH: process.env.PATH,
        LD_PRELOAD: [AGENT, ...(options.preload ?? [])].join(":"),
        EDLEAK_DIR: join(this.#folder, "segments"),
        EDLEAK_RUN: this.#run,
      },
    });
    this.#child.stdin.on("error", () => {});
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    this.#child.on("error", (error) => this.#onEnd(error.message));
    this.#child.on("close", (code, signal) => this.#onEnd(`exit ${code ?? signal}`));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get slices(): readonly Slice[] {
    return this.#slices;
  }

  /** The reader of the attached segment. */
  get owner(): SegmentOwner {
    if (!this.#owner) throw new Error("Not attached");
    return this.#owner;
  }

  /** Writes to the program and waits for so many lines of answer. */
  async feed(text: string, lines: number): Promise<readonly string[]> {
    this.#child.stdin.write(text);
    const signal = AbortSignal.timeout(DEADLINE_MS);
    signal.addEventListener("abort", () => this.#wake());
    while (this.#lines.length < lines) {
      if (this.#ended !== null || signal.aborted) throw this.#failure(`no answer to ${text}`);
      await new Promise<void>((done) => this.#waiting.push(done));
    }
    return this.#lines.splice(0, lines);
  }

  /** Sends a command of the step protocol; gives the lines before the closing "ok". */
  async ask(command: string): Promise<readonly string[]> {
    const answer: string[] = [];
    for (let text = `${command}\n`; ; text = "") {
      const [line = ""] = await this.feed(text, 1);
      if (line === `ok ${command}`) return answer;
      answer.push(line);
    }
  }

  /** Lets the program do so many steps. */
  async steps(count: number): Promise<void> {
    await this.ask(String(count));
  }

  /** Opens the segment of the program, which must have answered before, and becomes its owner. */
  attach(): void {
    const files = findSegments(join(this.#folder, "segments"), this.#run);
    if (!files.ok || files.value.length !== 1) throw this.#failure("no segment, or several");
    const segment = openSegment(files.value[0]!.path);
    if (!segment.ok) throw this.#failure(`segment refused: ${JSON.stringify(segment.reason)}`);
    this.#segment = segment.value;
    const owner = claimSegment(segment.value);
    if (!owner.ok) throw this.#failure(`segment not owned: ${JSON.stringify(owner.reason)}`);
    this.#owner = owner.value;
  }

  /** Takes the next slice; the program must be at rest. */
  slice(): Slice {
    const time = this.#slices.length * this.#secondsPerSlice;
    const slice = this.owner.takeSlice(time, (fresh) => this.pipeline.push(fresh));
    if (!slice.ok) throw this.#failure(`no slice: ${JSON.stringify(slice.reason)}`);
    this.#slices.push(slice.value);
    return slice.value;
  }

  /** Starts, attaches, and takes slice 0: for programs that speak the step protocol. */
  static async start(
    command: readonly string[],
    options: StartOptions = {},
  ): Promise<DrivenTarget> {
    const target = new DrivenTarget(command, options);
    try {
      await target.steps(0);
      target.attach();
      target.slice();
      return target;
    } catch (error) {
      await target.end();
      throw error;
    }
  }

  /** So many times: `stepsEach` steps, then a slice. */
  async run(slices: number, stepsEach: number): Promise<void> {
    for (let i = 0; i < slices; i++) {
      await this.steps(stepsEach);
      this.slice();
    }
  }

  /**
   * Names of allocers, worst first.
   * @param lines also file, line and inlined calls (asks a line tool); default true
   */
  async named(
    which: (result: AllocerResult) => boolean = () => true,
    lines = true,
  ): Promise<readonly NamedResult[]> {
    const results = this.pipeline.results().filter(which);
    const { modules } = this.pipeline;
    const requests = results.map(({ info }) => ({
      module: info.moduleIndex === null ? null : (modules.get(info.moduleIndex) ?? null),
      address: info.key[0] ?? 0n,
    }));
    const symbolizer = new Symbolizer({ pid: this.pid });
    try {
      const frames = lines
        ? await symbolizer.resolveAll(requests)
        : (await symbolizer.names(requests)).map((frame) => [frame]);
      return results.map((result, i) => withNames(result, frames[i] ?? []));
    } finally {
      await symbolizer.close();
    }
  }

  /** Ends the program by its pid, waits until it is gone, removes what it left. */
  async end(): Promise<void> {
    this.#owner?.close();
    this.#segment?.close();
    if (this.#ended === null) {
      const closed = new Promise((done) => this.#child.once("close", done));
      this.#child.kill("SIGKILL");
      await closed;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #wake(): void {
    for (const done of this.#waiting.splice(0)) done();
  }

  #onEnd(how: string): void {
    this.#ended ??= how;
    this.#wake();
  }

  #failure(what: string): Error {
    const state = this.#ended === null ? "running" : this.#ended;
    return new Error(`${this.#child.spawnfile}: ${what} (${state})\n${this.#stderr}`);
  }
}

/** What is left of a demangled name when parameters, template arguments and clone marks are taken away. */
export function plainName(demangled: string): string {
  let depth = 0;
  let name = "";
  for (const c of demangled.replaceAll("(anonymous namespace)::", "")) {
    if (c === "(" || c === " " || c === "[") {
      if (depth === 0) break;
    }
    if (c === "<") depth++;
    if (depth === 0) name += c;
    if (c === ">") depth--;
  }
  return name;
}

function withNames(result: AllocerResult, frames: readonly Frame[]): NamedResult {
  const inner = frames[0];
  const file = inner?.file?.replace(/^.*\//, "");
  return {
    ...result,
    frames,
    function: plainName(inner?.function ?? ""),
    place: file === undefined ? "" : `${file}:${inner?.line ?? 0}`,
  };
}
