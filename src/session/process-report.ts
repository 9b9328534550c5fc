/** What was found out about a process, as the report has it: verdicts, names, coverage. */
import { basename } from "node:path";
import { counted } from "../base/format.js";
import { ERRORS } from "../contract/errors.js";
import type {
  AllocerReport,
  Coverage,
  Frame,
  ProcessReport,
  ProcessVerdict,
} from "../contract/report.js";
import { CoverageFlag } from "../contract/segment.js";
import type { ModuleInfo } from "../contract/slice.js";
import { STATES, type State } from "../contract/verdict.js";
import type { AllocerResult, Pipeline } from "../pipeline/index.js";
import { perfMapPath, Symbolizer, stackLabel } from "../symbols/index.js";
import type { StartedTarget } from "./start-target.js";
import type { WatchEnd } from "./target-watch.js";

/** Allocers that are reported for their size alone. */
const LARGEST = 50;

export interface ProcessFacts {
  readonly target: StartedTarget;
  readonly end: WatchEnd;
  /** Program and arguments as typed. */
  readonly argv: readonly string[];
  readonly periodSeconds: number;
  /** Functions and lines are looked up. */
  readonly names: boolean;
  /** Finished; null when no slice was ever taken. */
  readonly pipeline: Pipeline | null;
}

/** Which results are reported: all that are not stable or were written past their end, and the largest; worst first. */
export function reported(results: readonly AllocerResult[]): readonly AllocerResult[] {
  const largest = new Set(results.toSorted((a, b) => b.liveBytes - a.liveBytes).slice(0, LARGEST));
  return results.filter(
    (result) =>
      result.verdict.state !== "stable" ||
      result.overruns > 0 ||
      (largest.has(result) && result.liveBytes > 0),
  );
}

const isAgents = ({ info }: AllocerResult, modules: ReadonlyMap<number, ModuleInfo>): boolean =>
  info.moduleIndex !== null && (modules.get(info.moduleIndex)?.flags.agent ?? false);

/** How many allocers are in which state. */
export function countStates(results: readonly AllocerResult[]): Record<State, number> {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>;
  for (const { verdict } of results) counts[verdict.state]++;
  return counts;
}

/**
 * Makes the report of a process.
 * @param hurry resolves when nobody wants to wait for file and line any more
 */
export async function makeProcessReport(
  facts: ProcessFacts,
  hurry: Promise<void>,
): Promise<ProcessReport> {
  const { target, end, pipeline } = facts;
  const modules = pipeline?.modules ?? new Map<number, ModuleInfo>();
  const all = (pipeline?.results() ?? []).filter((result) => !isAgents(result, modules));
  const shown = reported(all);
  const named = facts.names
    ? await nameAll(shown, modules, target.pid, hurry)
    : { frames: [], notes: [] };
  const totals = pipeline?.totals ?? { liveBytes: 0, liveBlocks: 0, allocs: 0, frees: 0 };
  return {
    pid: target.pid,
    exe: end.exe || target.binary,
    argv: facts.argv,
    startTime: new Date(performance.timeOrigin + target.startedAt).toISOString(),
    durationSeconds: end.durationSeconds,
    slices: end.slices,
    periodSeconds: facts.periodSeconds,
    exit: end.exit ?? { code: null, signal: null },
    verdict: verdictOf(facts, all),
    coverage: coverageOf(facts, named.notes),
    totals: { ...totals, allocers: all.length, byState: countStates(all) },
    allocers: shown.map((result, i) => allocerReport(result, named.frames[i] ?? [])),
  };
}

/** Nothing is called clean that could not be read to its end. */
function unlessUnread(verdict: ProcessVerdict, { end }: ProcessFacts): ProcessVerdict {
  if (verdict.state !== "clean" || end.problem === null) return verdict;
  return {
    state: "undecided",
    sentence: `Nothing leaked in ${counted(end.slices, "slice")}; then the counters could not be read any more`,
    advice: "Run it again",
  };
}

/** What the pipeline says, unless nothing could be seen at all. */
function verdictOf(facts: ProcessFacts, results: readonly AllocerResult[]): ProcessVerdict {
  const { target, end, pipeline } = facts;
  const unseen = (sentence: string, advice: string): ProcessVerdict => ({
    state: "unseen",
    sentence,
    advice,
  });
  if (target.obstacle !== null) {
    return unseen(target.obstacle, 'Nothing is known of its memory: it was run by "--force"');
  }
  if (end.lostTo !== null) {
    return unseen(
      `The program became "${end.lostTo}" (exec), which did not get the agent`,
      "Keep LD_PRELOAD in its environment (env -i, sudo and the like drop it), or run it by itself",
    );
  }
  if (pipeline !== null) return unlessUnread(pipeline.processVerdict(results), facts);
  if (end.problem === null)
    return unseen(
      "The agent never appeared in the program",
      '"edleak doctor" checks that it loads',
    );
  const refused = ERRORS.SEGMENT_REFUSED(end.problem.path, end.problem.why);
  return unseen(refused.message, refused.advice);
}

const FLAG_NOTES: readonly (readonly [flag: number, note: string])[] = [
  [CoverageFlag.fixedSize, "This kernel can't grow a segment: the number of allocers is limited."],
  [CoverageFlag.reduced, "Limits of the process or of shared memory made the segment smaller."],
  [
    CoverageFlag.foreignLibcMalloc,
    "What calls the C library's own allocator past malloc is not seen.",
  ],
  [
    CoverageFlag.frozen,
    "The program gave up rights (seccomp): from then on new allocers share one line.",
  ],
];

function coverageOf(facts: ProcessFacts, symbolNotes: readonly string[]): Coverage {
  const { target, end, pipeline } = facts;
  const seen = pipeline?.coverage() ?? {
    seen: null,
    lost: {},
    lostEvents: 0,
    events: 0,
    notes: [],
  };
  const notes = [
    ...seen.notes,
    ...target.notes,
    ...(end.replaced === 0
      ? []
      : [
          `The program was replaced ${counted(end.replaced, "time")} by another (exec); this is about the last one.`,
        ]),
    ...FLAG_NOTES.filter(([flag]) => (end.coverageFlags & flag) !== 0).map(([, note]) => note),
    ...(pipeline !== null && end.problem !== null
      ? [`The counters could not be read to the end: ${end.problem.why}.`]
      : []),
    ...doubtNotes(end.doubts),
    ...symbolNotes,
  ];
  return { ...seen, notes };
}

function doubtNotes({ damaged, approximate, stalled }: WatchEnd["doubts"]): string[] {
  const notes: string[] = [];
  if (damaged > 0)
    notes.push(
      `${counted(damaged, "counter")} went backwards: the segment was damaged from outside.`,
    );
  if (approximate > 0)
    notes.push(`${counted(approximate, "reading")} may date blocks one slice wrong.`);
  if (stalled)
    notes.push("The shared memory was full: later blocks could not be told from earlier ones.");
  return notes;
}

interface Named {
  /** For each result, for each address of its key: frames, inlined calls first. */
  readonly frames: readonly (readonly (readonly Frame[])[])[];
  readonly notes: readonly string[];
}

async function nameAll(
  results: readonly AllocerResult[],
  modules: ReadonlyMap<number, ModuleInfo>,
  pid: number,
  hurry: Promise<void>,
): Promise<Named> {
  const uid = process.geteuid?.() ?? 0;
  const symbolizer = new Symbolizer({ pid, perfMap: { path: perfMapPath(pid), uid } });
  // Calls under way then answer with what they have.
  void hurry.then(() => symbolizer.close());
  try {
    const requests = results.flatMap(({ info }) =>
      info.key.map((address, level) => ({
        module: moduleOf(info, level, address, modules),
        address,
      })),
    );
    const answers = [...(await symbolizer.resolveAll(requests))];
    return {
      frames: results.map(({ info }) => answers.splice(0, info.key.length)),
      notes: symbolizer.notes(),
    };
  } finally {
    await symbolizer.close();
  }
}

/** The module of an address: the agent tells that of the innermost one. */
function moduleOf(
  info: AllocerResult["info"],
  level: number,
  address: bigint,
  modules: ReadonlyMap<number, ModuleInfo>,
): ModuleInfo | null {
  const told = level === 0 && info.moduleIndex !== null ? modules.get(info.moduleIndex) : undefined;
  if (told !== undefined) return told;
  for (const module of modules.values()) {
    if (address >= module.start && address < module.end) return module;
  }
  return null;
}

/** Module and function of the physical frame, "leaker!Cache::put(int)"; offset instead of an unknown function. */
function keyPart(frame: Frame): string {
  const module = frame.module === "" ? "?" : basename(frame.module);
  return frame.function === undefined ? `${module}+${frame.offset}` : `${module}!${frame.function}`;
}

/** What stands for the key of allocer 0, which has no address. */
const UNATTRIBUTED = "unattributed";

function allocerReport(
  { verdict, info, ...result }: AllocerResult,
  levels: readonly (readonly Frame[])[],
): AllocerReport {
  const physical = levels.flatMap((frames) => frames.slice(-1));
  return {
    id: info.id,
    parentId: info.parentId,
    key: physical.length === 0 ? UNATTRIBUTED : physical.map(keyPart).join(" < "),
    stack: physical.map(stackLabel),
    frames: levels.flat(),
    liveBytes: result.liveBytes,
    liveBlocks: result.liveBlocks,
    totalAllocs: result.totalAllocs,
    totalFrees: result.totalFrees,
    overruns: result.overruns,
    leakFactor: { class: verdict.class, leak: verdict.leakBytes, ...verdict.rate },
    verdict,
    sustained: result.sustained,
  };
}
