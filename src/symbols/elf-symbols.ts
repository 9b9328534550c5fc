/** Function symbols of an ELF file, searched by address. Names are read from the file when asked for. */
import { ok, type Result, refused } from "../base/result.js";
import type { ElfRefusal } from "./byte-source.js";
import type { ElfFile, ElfSection } from "./elf-file.js";
import { ELF, u64 } from "./elf-format.js";

export interface SymbolMatch {
  /** As in the file, without a version ("@@GLIBC_2.17"). */
  readonly name: string;
  /** The address lies within the symbol's own size; else the symbol has none and is only the nearest. */
  readonly exact: boolean;
}

/** Symbols per table, 100 MB of them. More is refused. */
const SYMBOL_LIMIT = 1 << 22;
/** A sort key is the address above the lowest one (40 bits), then the index (24 bits). */
const INDEX_BITS = 24;
const KEY_ADDRESS_LIMIT = 2 ** 40;
const NAME_LIMIT_BYTES = 8 * 1024;
/** How many symbols before an address are looked at for one that spans it. */
const LOOK_BACK = 64;

/** The functions of one .symtab or .dynsym. Reads names from the file, which must stay open. */
export class SymbolTable {
  readonly #file: ElfFile;
  readonly #strings: ElfSection;
  readonly #starts: Float64Array;
  readonly #sizes: Float64Array;
  readonly #names: Uint32Array;
  readonly #bindings: Uint8Array;

  private constructor(file: ElfFile, strings: ElfSection, symbols: Buffer, order: Uint32Array) {
    this.#file = file;
    this.#strings = strings;
    this.#starts = new Float64Array(order.length);
    this.#sizes = new Float64Array(order.length);
    this.#names = new Uint32Array(order.length);
    this.#bindings = new Uint8Array(order.length);
    for (let i = 0; i < order.length; i++) {
      const at = order[i]! * ELF.SYMBOL_SIZE;
      this.#starts[i] = u64(symbols, at + 8);
      this.#sizes[i] = u64(symbols, at + 16);
      this.#names[i] = symbols.readUInt32LE(at);
      this.#bindings[i] = symbols.readUInt8(at + 4) >> 4;
    }
  }

  /** Reads the symbol table `table` of `file`. */
  static read(file: ElfFile, table: ElfSection): Result<SymbolTable, ElfRefusal> {
    const what = "symbol table";
    const strings = file.sections[table.link];
    if (strings === undefined) return refused({ tag: "damaged", what });
    if (table.size > SYMBOL_LIMIT * ELF.SYMBOL_SIZE) return refused({ tag: "too-large", what });
    const read = file.source.read(table.offset, table.size, what);
    if (!read.ok) return read;
    return ok(new SymbolTable(file, strings, read.value, orderOf(read.value)));
  }

  /** Number of functions. */
  get size(): number {
    return this.#starts.length;
  }

  /**
   * The function at a virtual address of the file, or null. A symbol without size (hand-written
   * assembly) reaches up to the next symbol, but not out of its section.
   */
  find(address: number): SymbolMatch | null {
    const last = this.#lastAtOrBefore(address);
    if (last < 0) return null;
    const spanning = this.#best(last, (i) => address < this.#starts[i]! + this.#sizes[i]!);
    if (spanning >= 0) return this.#match(spanning, true);
    const nearest = this.#starts[last]!;
    const open = this.#best(last, (i) => this.#starts[i] === nearest && this.#sizes[i] === 0);
    if (open < 0 || !this.#inOneSection(nearest, address)) return null;
    return this.#match(open, false);
  }

  #lastAtOrBefore(address: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Of the accepted symbols the one that starts last; of aliases the most public name. -1 if none. */
  #best(last: number, accepts: (index: number) => boolean): number {
    let best = -1;
    for (let i = last; i >= 0 && i > last - LOOK_BACK; i--) {
      if (best >= 0 && this.#starts[i] !== this.#starts[best]) break;
      if (!accepts(i)) continue;
      if (best < 0 || this.#rank(i) >= this.#rank(best)) best = i;
    }
    return best;
  }

  /** Higher is better: not local, then fewer leading underscores ("malloc" before "__libc_malloc"). */
  #rank(index: number): number {
    const name = this.#name(index);
    const underscores = name.startsWith("_Z") ? 0 : name.length - name.replace(/^_+/, "").length;
    const isPublic = this.#bindings[index] !== ELF.STB_LOCAL;
    return (isPublic ? 1000 : 0) + (name === "" ? -1000 : -Math.min(underscores, 100));
  }

  #inOneSection(start: number, address: number): boolean {
    return this.#file.sections.some(
      (s) => s.address !== 0 && start >= s.address && address < s.address + s.size,
    );
  }

  #match(index: number, exact: boolean): SymbolMatch | null {
    const name = this.#name(index);
    return name === "" ? null : { name, exact };
  }

  #name(index: number): string {
    const { offset, size } = this.#strings;
    const at = this.#names[index]!;
    if (at >= size) return "";
    const read = this.#file.source.readUpTo(
      offset + at,
      Math.min(NAME_LIMIT_BYTES, size - at),
      "symbol name",
    );
    if (!read.ok) return "";
    const end = read.value.indexOf(0);
    const name = read.value.toString("utf8", 0, end < 0 ? read.value.length : end);
    const version = name.indexOf("@", 1);
    return version < 0 ? name : name.slice(0, version);
  }
}

/** Indices of the defined functions, by address; equal addresses in the table's order. */
function orderOf(symbols: Buffer): Uint32Array {
  const functions: number[] = [];
  let base = Number.POSITIVE_INFINITY;
  for (let at = 0; at + ELF.SYMBOL_SIZE <= symbols.length; at += ELF.SYMBOL_SIZE) {
    if (!isFunction(symbols, at)) continue;
    functions.push(at / ELF.SYMBOL_SIZE);
    base = Math.min(base, u64(symbols, at + 8));
  }
  // Sorting 64-bit keys natively is five times faster than sorting indices by a comparison.
  const keys = new BigUint64Array(functions.length);
  const halves = new Uint32Array(keys.buffer);
  let count = 0;
  for (const index of functions) {
    const address = u64(symbols, index * ELF.SYMBOL_SIZE + 8) - base;
    if (address >= KEY_ADDRESS_LIMIT) continue;
    halves[2 * count] = ((address % 256) * 2 ** INDEX_BITS + index) >>> 0;
    halves[2 * count + 1] = Math.floor(address / 256);
    count++;
  }
  keys.subarray(0, count).sort();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = halves[2 * i]! & (2 ** INDEX_BITS - 1);
  return order;
}

function isFunction(symbols: Buffer, at: number): boolean {
  const type = symbols.readUInt8(at + 4) & 0xf;
  if (type !== ELF.STT_FUNC && type !== ELF.STT_GNU_IFUNC) return false;
  const section = symbols.readUInt16LE(at + 6);
  const isReserved = section >= ELF.SHN_LORESERVE && section !== ELF.SHN_XINDEX;
  return section !== ELF.SHN_UNDEF && !isReserved;
}
