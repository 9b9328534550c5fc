/**
 * (Module, address) to frames, in tiers: the function from the ELF file's symbols always, then file,
 * line and inlined calls by an installed line tool. What is missing or broken costs names, never an
 * error; `notes` says what and why.
 */
import type { Frame } from "../contract/report.js";
import type { ModuleInfo } from "../contract/slice.js";
import {
  composeFrames,
  groupByModule,
  moduleKey,
  type SymbolRequest,
  UNKNOWN,
} from "./compose-frames.js";
import { Demangler } from "./demangler.js";
import { findLineTools, type LineToolPaths } from "./find-line-tools.js";
import { LineTier } from "./line-tier.js";
import { ModuleFrames, type Place } from "./module-frames.js";
import { ModuleImage } from "./module-image.js";
import { PerfMap } from "./perf-map.js";

export interface SymbolizerOptions {
  /** The process while it lives: reaches files that were deleted, replaced or are in a container. */
  readonly pid?: number;
  /** Folders with separate debug files, asked before /usr/lib/debug. */
  readonly debugRoots?: readonly string[];
  /** Names of generated code: path of the map (`perfMapPath`), and the process's user, who must own it. */
  readonly perfMap?: { readonly path: string; readonly uid: number };
  /** Programs for file and line; default: those found on PATH. */
  readonly lineTools?: LineToolPaths;
  /** Milliseconds a line tool may take for 256 addresses; default 10 000. */
  readonly timeoutMs?: number;
  /** Addresses are where calls return to, so the call is before them; default true. */
  readonly returnAddresses?: boolean;
}

const DEBUG_ROOT = "/usr/lib/debug";
const TIMEOUT_MS = 10_000;
/** Modules whose files stay open. */
const OPEN_LIMIT = 128;

/**
 * Names addresses of one process. Work is done in turn: calls wait for each other.
 * @example
 * const symbolizer = new Symbolizer({ pid });
 * const frames = await symbolizer.resolve(module, 0x7f7aa7ac4df4n);
 * await symbolizer.close();
 */
export class Symbolizer {
  readonly #options: SymbolizerOptions;
  /** Bytes before an address that are looked up. */
  readonly #back: bigint;
  readonly #tier: LineTier;
  readonly #perfMap: PerfMap | null;
  readonly #modules = new Map<string, ModuleFrames>();
  readonly #notes = new Map<string, string>();
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SymbolizerOptions = {}) {
    this.#options = options;
    this.#back = options.returnAddresses === false ? 0n : 1n;
    this.#tier = new LineTier(
      options.lineTools ?? findLineTools(),
      options.timeoutMs ?? TIMEOUT_MS,
    );
    const map = options.perfMap;
    this.#perfMap = map === undefined ? null : new PerfMap(map.path, map.uid);
  }

  /** Frames of one address: inlined calls innermost first, the physical function last. */
  async resolve(module: ModuleInfo | null, address: bigint): Promise<readonly Frame[]> {
    const [frames] = await this.resolveAll([{ module, address }]);
    return frames!;
  }

  /** Frames of many addresses, in the order of the requests, with one question per module. */
  resolveAll(requests: readonly SymbolRequest[]): Promise<readonly (readonly Frame[])[]> {
    return this.#inTurn(() => this.#answer(requests, this.#tier));
  }

  /** The physical functions alone, without file, line and inlined calls: no line tool is asked. */
  async names(requests: readonly SymbolRequest[]): Promise<readonly Frame[]> {
    const answers = await this.#inTurn(() => this.#answer(requests, null));
    return answers.map((frames) => frames.at(-1)!);
  }

  /** Sentences on what could not be used: changed or missing files, line tools that failed. */
  notes(): readonly string[] {
    const tools = this.#tier.givenUp.map((tool) => `Line tool failed and is not used: "${tool}"`);
    return [...this.#notes].map(([path, note]) => `${note}: "${path}"`).concat(tools);
  }

  /** Ends the line tools and closes all files; calls under way answer with what they have. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#tier.close();
    await this.#turn;
    for (const frames of this.#modules.values()) frames.close();
    this.#modules.clear();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error("The symbolizer is closed"));
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #answer(
    requests: readonly SymbolRequest[],
    tier: LineTier | null,
  ): Promise<readonly (readonly Frame[])[]> {
    const places = this.#placesOutside(requests);
    for (const group of groupByModule(requests, this.#back)) {
      const frames = await this.#framesOf(group.module);
      const addresses = group.members.map((member) => member.address);
      await frames.prepare(addresses, tier);
      this.#note(group.module, frames);
      for (const { index, address } of group.members) {
        places[index] = tier === null ? [frames.nameAt(address)] : frames.placesAt(address);
      }
      this.#closeOldest();
    }
    return requests.map((request, i) => composeFrames(request, places[i]!));
  }

  /** Places of generated code; unknown for all others, until their module tells. */
  #placesOutside(requests: readonly SymbolRequest[]): (readonly Place[])[] {
    if (requests.some(({ module }) => module === null)) this.#perfMap?.refresh();
    return requests.map(({ module, address }) => {
      const name = module === null ? this.#perfMap?.find(address - this.#back) : undefined;
      return [name === undefined ? UNKNOWN : { ...UNKNOWN, function: name }];
    });
  }

  async #framesOf(module: ModuleInfo): Promise<ModuleFrames> {
    const key = moduleKey(module);
    let frames = this.#modules.get(key);
    if (frames === undefined) {
      const demangler = await Demangler.shared();
      const image = await ModuleImage.open(module, {
        pid: this.#options.pid ?? null,
        debugRoots: [...(this.#options.debugRoots ?? []), DEBUG_ROOT],
      });
      frames = new ModuleFrames(image, demangler);
    }
    this.#modules.delete(key);
    this.#modules.set(key, frames);
    return frames;
  }

  #closeOldest(): void {
    for (const [key, frames] of this.#modules) {
      if (this.#modules.size <= OPEN_LIMIT) break;
      frames.close();
      this.#modules.delete(key);
    }
  }

  #note(module: ModuleInfo, frames: ModuleFrames): void {
    const note = frames.note;
    if (note !== null) this.#notes.set(module.path, note[0]!.toUpperCase() + note.slice(1));
  }
}
