/** Test helper: slices from plain rows. */
import { LOSSES, type LossName } from "../../contract/segment.js";
import type { AllocerInfo, Slice } from "../../contract/slice.js";

/** Births and same-generation frees: allocer, birth slice, blocks, bytes, frees, freed bytes. */
export type BirthRow = readonly [number, number, number, number, number, number];
/** Old frees: allocer, birth slice, blocks, bytes. */
export type OldFreeRow = readonly [number, number, number, number];
/** Ages: allocer, bucket, blocks. */
export type AgeRow = readonly [number, number, number];

export interface SliceRows {
  readonly time?: number;
  readonly births?: readonly BirthRow[];
  readonly oldFrees?: readonly OldFreeRow[];
  readonly ages?: readonly AgeRow[];
  readonly allocers?: readonly number[];
  readonly overruns?: ReadonlyMap<number, number>;
  readonly losses?: Partial<Record<LossName, number>>;
  readonly residentBytes?: number | null;
}

export const allocerInfo = (id: number): AllocerInfo => ({
  id,
  key: id === 0 ? [] : [0x1000n + BigInt(id)],
  parentId: null,
  moduleIndex: null,
});

/** A slice at `index` seconds unless told otherwise. */
export function makeSlice(index: number, rows: SliceRows = {}): Slice {
  const { births = [], oldFrees = [], ages = [], allocers = [] } = rows;
  const column = <Row extends readonly number[]>(from: readonly Row[], at: number) =>
    Float64Array.from(from, (row) => row[at]!);
  const ids = <Row extends readonly number[]>(from: readonly Row[], at: number) =>
    Uint32Array.from(from, (row) => row[at]!);
  const none = Object.fromEntries(LOSSES.map(({ name }) => [name, 0])) as Record<LossName, number>;
  return {
    index,
    time: rows.time ?? index,
    births: {
      allocer: ids(births, 0),
      birthSlice: ids(births, 1),
      blocks: column(births, 2),
      bytes: column(births, 3),
      frees: column(births, 4),
      freedBytes: column(births, 5),
    },
    oldFrees: {
      allocer: ids(oldFrees, 0),
      birthSlice: ids(oldFrees, 1),
      blocks: column(oldFrees, 2),
      bytes: column(oldFrees, 3),
    },
    ages: {
      allocer: ids(ages, 0),
      bucket: Uint8Array.from(ages, (row) => row[1]!),
      blocks: column(ages, 2),
    },
    allocers: allocers.map(allocerInfo),
    modules: [],
    overruns: rows.overruns ?? new Map(),
    losses: { ...none, ...rows.losses },
    residentBytes: rows.residentBytes ?? null,
  };
}
