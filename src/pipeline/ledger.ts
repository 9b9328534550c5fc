/** Adds slices up into the history of every allocer, and draws series from it. */
import {
  type AllocerInfo,
  GENERATION_GROUPS,
  type ModuleInfo,
  type Slice,
} from "../contract/slice.js";
import type { AllocerSeries } from "../contract/verdict.js";
import { AllocerHistory } from "./allocer-history.js";
import { MOST_POINTS } from "./checkpoints.js";
import { TimeAxis } from "./time-axis.js";

/** Arrays that series are drawn into, for one allocer after the other. */
const makeArrays = () => ({
  bytes: new Float64Array(MOST_POINTS + 1),
  blocks: new Float64Array(MOST_POINTS + 1),
  allocs: new Float64Array(MOST_POINTS + 1),
  frees: new Float64Array(MOST_POINTS + 1),
  allocCount: new Float64Array(GENERATION_GROUPS),
  liveCount: new Float64Array(GENERATION_GROUPS),
  liveBytes: new Float64Array(GENERATION_GROUPS),
});

export class Ledger {
  readonly axis = new TimeAxis();
  readonly modules = new Map<number, ModuleInfo>();
  readonly #histories = new Map<number, AllocerHistory>();
  readonly #arrays = makeArrays();
  #events = 0;

  /** Allocations and frees of all allocers. */
  get events(): number {
    return this.#events;
  }

  get histories(): Iterable<AllocerHistory> {
    return this.#histories.values();
  }

  history(id: number): AllocerHistory | undefined {
    return this.#histories.get(id);
  }

  /** Adds a slice with a higher number than the last. */
  add(slice: Slice): void {
    this.#advance(slice);
    for (const info of slice.allocers) this.#introduce(info);
    for (const module of slice.modules) this.modules.set(module.index, module);
    const touched = new Set<AllocerHistory>();
    this.#addBirths(slice, touched);
    this.#addOldFrees(slice, touched);
    this.#addAges(slice);
    const point = Math.ceil(slice.index / this.axis.stride);
    for (const history of touched) history.curve.note(point, history.totals);
  }

  /** The series of an allocer. Its arrays are drawn into again by the next call. */
  draw(history: AllocerHistory): AllocerSeries {
    const { axis } = this;
    const into = this.#arrays;
    const { points, generations } = axis;
    history.curve.draw(points, into);
    history.generations.draw(generations, into);
    return {
      times: axis.times(),
      bytes: into.bytes.subarray(0, points),
      blocks: into.blocks.subarray(0, points),
      allocs: into.allocs.subarray(0, points),
      frees: into.frees.subarray(0, points),
      evidence: {
        slice: axis.slice,
        shift: axis.shift,
        endTimes: axis.endTimes(),
        allocCount: into.allocCount.subarray(0, generations),
        liveCount: into.liveCount.subarray(0, generations),
        liveBytes: into.liveBytes.subarray(0, generations),
        ageFrees: history.generations.ageFrees,
      },
    };
  }

  /** Moves the axis on; where it gets coarser, all histories follow. */
  #advance(slice: Slice): void {
    const { stride, shift, slice: previous } = this.axis;
    this.axis.advance(slice.index, slice.time);
    if (stride === this.axis.stride && shift === this.axis.shift) return;
    for (const history of this.#histories.values()) {
      for (let s = stride; s < this.axis.stride; s *= 2) history.curve.thin();
      for (let s = shift; s < this.axis.shift; s++)
        history.generations.merge((Math.max(0, previous) >>> s) + 1);
    }
  }

  #introduce(info: AllocerInfo): AllocerHistory {
    const known = this.#histories.get(info.id);
    if (known) return known;
    const history = new AllocerHistory(info);
    this.#histories.set(info.id, history);
    return history;
  }

  /** A row's allocer; one that was never introduced (a damaged recording) is nameless. */
  #historyOf(id: number): AllocerHistory {
    return (
      this.#histories.get(id) ?? this.#introduce({ id, key: [], parentId: null, moduleIndex: null })
    );
  }

  #generationOf(birthSlice: number): number {
    return Math.min(birthSlice, this.axis.slice) >>> this.axis.shift;
  }

  #addBirths({ births }: Slice, touched: Set<AllocerHistory>): void {
    for (let row = 0; row < births.allocer.length; row++) {
      const history = this.#historyOf(births.allocer[row]!);
      const generation = this.#generationOf(births.birthSlice[row]!);
      const [blocks, bytes] = [births.blocks[row]!, births.bytes[row]!];
      const [frees, freedBytes] = [births.frees[row]!, births.freedBytes[row]!];
      const { totals, generations } = history;
      totals.allocs += blocks;
      totals.bytes += bytes;
      totals.frees += frees;
      totals.freedBytes += freedBytes;
      generations.born[generation]! += blocks;
      generations.alive[generation]! += blocks - frees;
      generations.aliveBytes[generation]! += bytes - freedBytes;
      generations.ageFrees[0]! += frees;
      this.#events += blocks + frees;
      touched.add(history);
    }
  }

  #addOldFrees({ oldFrees }: Slice, touched: Set<AllocerHistory>): void {
    for (let row = 0; row < oldFrees.allocer.length; row++) {
      const history = this.#historyOf(oldFrees.allocer[row]!);
      const generation = this.#generationOf(oldFrees.birthSlice[row]!);
      const [blocks, bytes] = [oldFrees.blocks[row]!, oldFrees.bytes[row]!];
      history.totals.frees += blocks;
      history.totals.freedBytes += bytes;
      history.generations.alive[generation]! -= blocks;
      history.generations.aliveBytes[generation]! -= bytes;
      this.#events += blocks;
      touched.add(history);
    }
  }

  #addAges({ ages }: Slice): void {
    for (let row = 0; row < ages.allocer.length; row++) {
      const { ageFrees } = this.#historyOf(ages.allocer[row]!).generations;
      const bucket = Math.min(ages.bucket[row]!, ageFrees.length - 1);
      ageFrees[bucket]! += ages.blocks[row]!;
    }
  }
}
