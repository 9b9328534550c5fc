/** The mature survivors of an allocer by the generation in which they were born: what the verdict looks at. */
import type { Evidence } from "../contract/verdict.js";
import { threshold } from "./thresholds.js";

export interface Survivors {
  /** Seconds, never decreasing: edges[0] is the end of generation 0, edges[i + 1] the end of births i. */
  readonly edges: readonly number[];
  /** Index i is generation i + 1: generation 0 never counts as growth. */
  readonly blocks: readonly number[];
  readonly bytes: readonly number[];
  /** All blocks allocated, alive or not. */
  readonly allocs: readonly number[];
  /** Generations with survivors: the growth events. */
  readonly events: number;
  readonly allocated: number;
  /** Share of the generations that have survivors. */
  readonly density: number;
}

/** The survivors of generations 1 to `lastGeneration`. */
export function survivorsOf(evidence: Evidence, lastGeneration: number): Survivors {
  const edges = new Array<number>(lastGeneration + 1);
  const blocks = new Array<number>(lastGeneration);
  const bytes = new Array<number>(lastGeneration);
  const allocs = new Array<number>(lastGeneration);
  let events = 0;
  let allocated = 0;
  let end = evidence.endTimes[0] ?? 0;
  edges[0] = end;
  for (let i = 0; i < lastGeneration; i++) {
    end = Math.max(end, evidence.endTimes[i + 1] ?? 0);
    const alive = evidence.liveCount[i + 1] ?? 0;
    const born = evidence.allocCount[i + 1] ?? 0;
    edges[i + 1] = end;
    blocks[i] = alive;
    bytes[i] = evidence.liveBytes[i + 1] ?? 0;
    allocs[i] = born;
    allocated += born;
    if (alive > 0) events++;
  }
  const density = lastGeneration > 0 ? events / lastGeneration : 0;
  return { edges, blocks, bytes, allocs, events, allocated, density };
}

/** The ends of the generations that have survivors, in seconds. */
export function eventTimes({ blocks, edges }: Survivors): number[] {
  return edges.filter((_, i) => i > 0 && blocks[i - 1]! > 0);
}

/**
 * The clock of the allocer's own allocations, as edges for the same generations: bursts and pauses of
 * the load disappear on it.
 */
export function allocationClock({ allocs }: Survivors): number[] {
  const edges = [0];
  let sum = 0;
  for (const born of allocs) {
    sum += born;
    edges.push(sum);
  }
  return edges;
}

/** Whether most of the allocer's blocks are ordinary traffic, of which only a share survives. */
export function isMixed(survivors: Survivors, alive: number): boolean {
  return (
    alive < threshold.mixedSurvival * survivors.allocated &&
    survivors.blocks.length >= threshold.mixedGenerations
  );
}
