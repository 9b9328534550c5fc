/** What one module's files say of its addresses, cached: the name of the function, and its lines. */
import { setImmediate } from "node:timers/promises";
import { withoutCloneSuffix } from "./clone-suffix.js";
import type { Demangler } from "./demangler.js";
import type { LineTier } from "./line-tier.js";
import type { LineChain } from "./line-tool.js";
import { CHANGED, type ModuleImage } from "./module-image.js";
import { printable } from "./printable.js";

/** One function on the way to an address. */
export interface Place {
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

const CACHE_LIMIT = 100_000;
/** Names looked up before other work gets a turn; a heavy one takes half a millisecond. */
const NAMES_PER_TURN = 64;

interface Name {
  readonly text: string;
  readonly exact: boolean;
}

/** Addresses here are virtual addresses of the module's file. */
export class ModuleFrames {
  readonly #image: ModuleImage;
  readonly #demangler: Demangler;
  readonly #names = new Map<number, Name | null>();
  readonly #chains = new Map<number, LineChain>();
  #changed = false;

  constructor(image: ModuleImage, demangler: Demangler) {
    this.#image = image;
    this.#demangler = demangler;
  }

  /** Why names are missing, in words; null when the module's own file is used. */
  get note(): string | null {
    return this.#changed ? CHANGED : this.#image.note;
  }

  /** Looks up what is not known yet; with a `tier` also file, line and inlined calls. */
  async prepare(addresses: readonly number[], tier: LineTier | null): Promise<void> {
    if (this.#names.size > CACHE_LIMIT) this.#names.clear();
    if (this.#chains.size > CACHE_LIMIT) this.#chains.clear();
    const distinct = [...new Set(addresses)];
    await this.#prepareNames(distinct.filter((address) => !this.#names.has(address)));
    if (tier === null) return;
    await this.#prepareChains(
      distinct.filter((address) => !this.#chains.has(address)),
      tier,
    );
  }

  /** The function at a prepared address, without lines. */
  nameAt(address: number): Place {
    return { function: this.#names.get(address)?.text ?? null, file: null, line: null };
  }

  /** Innermost inlined call first, the physical function last; never empty. */
  placesAt(address: number): readonly Place[] {
    const name = this.#names.get(address) ?? null;
    const chain = this.#chains.get(address) ?? [];
    const last = chain.at(-1);
    // Without a line the tool only took the nearest symbol, however far it is.
    if (last === undefined || (chain.length === 1 && last.file === null)) {
      return [this.nameAt(address)];
    }
    const places = chain.map((frame) => ({
      function: frame.function === null ? null : this.#readable(frame.function),
      file: frame.file === null ? null : printable(frame.file),
      line: frame.line,
    }));
    // The ELF name of the function wins, so that it is the same with and without lines.
    const own = name?.exact ? name.text : (places.at(-1)?.function ?? name?.text ?? null);
    return [...places.slice(0, -1), { ...places.at(-1)!, function: own }];
  }

  close(): void {
    this.#image.close();
  }

  async #prepareNames(addresses: readonly number[]): Promise<void> {
    for (const [i, address] of addresses.entries()) {
      if (i % NAMES_PER_TURN === NAMES_PER_TURN - 1) await setImmediate();
      const match = this.#changed ? null : this.#image.find(address);
      // Asked after each read: what was read from a file that is being overwritten is no name.
      if (match !== null && !this.#image.isIntact()) this.#changed = true;
      const believed = this.#changed ? null : match;
      this.#names.set(
        address,
        believed && { text: this.#readable(believed.name), exact: believed.exact },
      );
    }
  }

  async #prepareChains(addresses: readonly number[], tier: LineTier): Promise<void> {
    const file = this.#changed || addresses.length === 0 ? null : this.#image.lineFile();
    if (file === null) return;
    const chains = await tier.lookUp(file, addresses);
    if (!this.#image.isIntact()) this.#changed = true;
    const wasReplaced = this.#image.lineFile()?.path !== file.path;
    if (chains === null || this.#changed || wasReplaced) return;
    for (const [i, address] of addresses.entries()) this.#chains.set(address, chains[i] ?? []);
  }

  #readable(name: string): string {
    return printable(this.#demangler.demangle(withoutCloneSuffix(name)));
  }
}
