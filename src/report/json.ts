/**
 * The report for programs (docs/formats/report.md): every key that the schema names, in the schema's order,
 * and no other; indented by two spaces. The same report gives the same bytes.
 */
import type {
  AllocerReport,
  Coverage,
  Frame,
  LeakFactor,
  ProcessExit,
  ProcessReport,
  ProcessVerdict,
  RunReport,
} from "../contract/report.js";
import { LOSSES } from "../contract/segment.js";
import { type Rate, STATES, type Verdict, type VerdictFacts } from "../contract/verdict.js";

/** For each key of T, in the order of output, how its value is written. A key that is missing here is a type error. */
type Shape<T> = { readonly [K in keyof Required<T>]: (value: NonNullable<T[K]>) => unknown };

const same = (value: unknown): unknown => value;

/** Makes a writer of T: keys in the order of the shape, null as null, undefined left out. */
function shaped<T extends object>(shape: Shape<T>): (from: T) => Record<string, unknown> {
  const keys = Object.keys(shape) as (keyof T & string)[];
  return (from) => {
    const out: Record<string, unknown> = {};
    for (const key of keys) {
      const value = from[key];
      if (value !== undefined) out[key] = value === null ? null : shape[key](value);
    }
    return out;
  };
}

const each =
  <T>(write: (item: T) => unknown) =>
  (items: readonly T[]): unknown[] =>
    items.map(write);

/** A table by name, in the order of the list of names. */
const byName =
  <N extends string>(names: readonly N[]) =>
  (table: Partial<Readonly<Record<N, number>>>): Record<string, number> =>
    Object.fromEntries(
      names.flatMap((name) => (table[name] === undefined ? [] : [[name, table[name]]])),
    );

const frame = shaped<Frame>({
  address: same,
  module: same,
  buildId: same,
  offset: same,
  function: same,
  file: same,
  line: same,
  inlined: same,
});

const leakFactor = shaped<LeakFactor>({
  class: same,
  leak: same,
  rate: same,
  rateLow: same,
  rateHigh: same,
});

const rate = shaped<Rate>({ rate: same, rateLow: same, rateHigh: same });
const windowOf = shaped<Verdict["window"]>({ from: same, to: same, slices: same });

const facts = shaped<VerdictFacts>({
  maturitySlices: same,
  maturitySeconds: same,
  matureAlive: same,
  matureFreed: same,
  growthEvents: same,
  generations: same,
  sinceLastEvent: same,
  firstThirdShare: same,
});

const verdict = shaped<Verdict>({
  state: same,
  class: same,
  score: same,
  path: same,
  leakBytes: same,
  rate,
  window: windowOf,
  facts,
  sentence: same,
  advice: same,
});

const allocer = shaped<AllocerReport>({
  id: same,
  parentId: same,
  key: same,
  stack: same,
  frames: each(frame),
  liveBytes: same,
  liveBlocks: same,
  totalAllocs: same,
  totalFrees: same,
  overruns: same,
  leakFactor,
  verdict,
  sustained: same,
});

const coverage = shaped<Coverage>({
  seen: same,
  lost: byName(LOSSES.map((loss) => loss.name)),
  lostEvents: same,
  events: same,
  notes: same,
});

const totals = shaped<ProcessReport["totals"]>({
  liveBytes: same,
  liveBlocks: same,
  allocs: same,
  frees: same,
  allocers: same,
  byState: byName(STATES),
});

const process = shaped<ProcessReport>({
  pid: same,
  exe: same,
  argv: same,
  startTime: same,
  durationSeconds: same,
  slices: same,
  periodSeconds: same,
  exit: shaped<ProcessExit>({ code: same, signal: same }),
  verdict: shaped<ProcessVerdict>({ state: same, sentence: same, advice: same }),
  coverage,
  totals,
  allocers: each(allocer),
});

const run = shaped<RunReport>({
  edleak: shaped<RunReport["edleak"]>({ version: same, schema: same }),
  processes: each(process),
});

/** Characters that JSON allows as they are and that are acted on or not seen: DEL, C1, direction marks, tags. */
const UNSEEN = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Both halves of a character beyond U+FFFF, as JSON has it. */
const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");

/**
 * Renders the report as JSON; ends with a line end. Safe to print: no character in it moves a cursor.
 * @example
 * JSON.parse(renderJson(report)).processes[0].verdict.state; // "leaks"
 */
export const renderJson = (report: RunReport): string =>
  `${JSON.stringify(run(report), null, 2).replace(UNSEEN, escaped)}\n`;
