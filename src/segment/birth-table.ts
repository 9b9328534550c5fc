/** Births of one reading, added up over shards: dense per birth slice while reading, columns afterwards. */
import type { BirthColumns } from "../contract/slice.js";

/** Figures of one row. */
const WIDTH = 4;

/** Sums of one birth slice, indexed by allocer. */
class BirthSums {
  readonly birthSlice: number;
  readonly sums: Float64Array;
  readonly touched: number[] = [];
  readonly #seen: Uint8Array;

  constructor(birthSlice: number, allocers: number) {
    this.birthSlice = birthSlice;
    this.sums = new Float64Array(allocers * WIDTH);
    this.#seen = new Uint8Array(allocers);
  }

  add(allocer: number, blocks: number, bytes: number, frees: number, freedBytes: number): void {
    if (this.#seen[allocer] === 0) {
      this.#seen[allocer] = 1;
      this.touched.push(allocer);
    }
    const at = allocer * WIDTH;
    this.sums[at]! += blocks;
    this.sums[at + 1]! += bytes;
    this.sums[at + 2]! += frees;
    this.sums[at + 3]! += freedBytes;
  }
}

export type { BirthSums };

export class BirthTable {
  readonly #allocers: number;
  readonly #bySlice = new Map<number, BirthSums>();

  /** @param allocers ids below this one are added */
  constructor(allocers: number) {
    this.#allocers = allocers;
  }

  /** The sums of a birth slice. */
  of(birthSlice: number): BirthSums {
    let sums = this.#bySlice.get(birthSlice);
    if (!sums) {
      sums = new BirthSums(birthSlice, this.#allocers);
      this.#bySlice.set(birthSlice, sums);
    }
    return sums;
  }

  /** All rows, by birth slice, then by allocer. */
  columns(): BirthColumns {
    const parts = [...this.#bySlice.values()].sort((a, b) => a.birthSlice - b.birthSlice);
    const rows = parts.reduce((sum, part) => sum + part.touched.length, 0);
    const columns = {
      allocer: new Uint32Array(rows),
      birthSlice: new Uint32Array(rows),
      blocks: new Float64Array(rows),
      bytes: new Float64Array(rows),
      frees: new Float64Array(rows),
      freedBytes: new Float64Array(rows),
    };
    let row = 0;
    for (const { birthSlice, sums, touched } of parts) {
      for (const allocer of Uint32Array.from(touched).sort()) {
        columns.allocer[row] = allocer;
        columns.birthSlice[row] = birthSlice;
        columns.blocks[row] = sums[allocer * WIDTH]!;
        columns.bytes[row] = sums[allocer * WIDTH + 1]!;
        columns.frees[row] = sums[allocer * WIDTH + 2]!;
        columns.freedBytes[row] = sums[allocer * WIDTH + 3]!;
        row++;
      }
    }
    return columns;
  }
}
