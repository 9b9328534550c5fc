/** The ground-truth program's own log, read back, in the shape in which edleak's figures are compared with it. */
import { AGE_BUCKETS } from "../../src/contract/limits.js";

/** Blocks and bytes by birth slice, or by a group of them. */
export type Amounts = Readonly<Record<number, { readonly blocks: number; readonly bytes: number }>>;

/** All that is known of one call site, from either side. */
export interface SiteFigures {
  readonly allocs: number;
  readonly allocBytes: number;
  readonly frees: number;
  readonly freedBytes: number;
  readonly liveBlocks: number;
  readonly liveBytes: number;
  /** Without those that have none. */
  readonly births: Amounts;
  readonly live: Amounts;
  /** Blocks freed by age, in the buckets of the segment. */
  readonly ages: readonly number[];
}

/** One line of the program's report. */
interface LoggedSite {
  readonly site: string;
  readonly allocs: number;
  readonly allocBytes: number;
  readonly frees: number;
  readonly freedBytes: number;
  readonly births: readonly (readonly [step: number, blocks: number, bytes: number])[];
  readonly live: readonly (readonly [step: number, blocks: number, bytes: number])[];
  readonly ages: readonly (readonly [age: number, blocks: number])[];
}

/** Sums amounts up by group, in ascending order; what is zero is left out. */
export function amounts(
  rows: Iterable<readonly [group: number, blocks: number, bytes: number]>,
): Amounts {
  const sums = new Map<number, { blocks: number; bytes: number }>();
  for (const [group, blocks, bytes] of rows) {
    const sum = sums.get(group) ?? { blocks: 0, bytes: 0 };
    sums.set(group, { blocks: sum.blocks + blocks, bytes: sum.bytes + bytes });
  }
  return Object.fromEntries([...sums].filter(([, sum]) => sum.blocks !== 0 || sum.bytes !== 0));
}

/** Bucket 0 is age 0, bucket b >= 1 holds 2^(b-1) .. 2^b - 1. */
const bucketOf = (age: number): number => (age === 0 ? 0 : Math.floor(Math.log2(age)) + 1);

/**
 * Reads the report.
 * @param groupOf the group that blocks of a step are counted with
 */
export function readLog(
  report: readonly string[],
  groupOf: (step: number) => number,
): ReadonlyMap<string, SiteFigures> {
  const byGroup = (rows: LoggedSite["births"]) =>
    amounts(rows.map(([step, blocks, bytes]) => [groupOf(step), blocks, bytes]));
  const sites = new Map<string, SiteFigures>();
  for (const line of report) {
    const logged = JSON.parse(line) as LoggedSite;
    const ages = Array<number>(AGE_BUCKETS).fill(0);
    for (const [age, blocks] of logged.ages) ages[bucketOf(age)]! += blocks;
    sites.set(logged.site, {
      allocs: logged.allocs,
      allocBytes: logged.allocBytes,
      frees: logged.frees,
      freedBytes: logged.freedBytes,
      liveBlocks: logged.allocs - logged.frees,
      liveBytes: logged.allocBytes - logged.freedBytes,
      births: byGroup(logged.births),
      live: byGroup(logged.live),
      ages,
    });
  }
  return sites;
}
