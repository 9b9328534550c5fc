/**
 * The options of every command, as data: the parser, the help text, the documentation and the checks
 * come from here, and so do the defaults.
 */

/** How a value is read; `base/quantity.ts` reads the durations. */
export type OptionValue =
  | { readonly kind: "flag" }
  /** Seconds; `500ms 20 5m 2h` on the command line. */
  | { readonly kind: "duration"; readonly least: number; readonly most: number }
  /** Path of an output; `-` is stdout, except in `run`. */
  | { readonly kind: "output" }
  | { readonly kind: "choice"; readonly choices: readonly string[] };

export interface OptionSpec {
  /** As typed, "--period". */
  readonly flag: string;
  /** What stands for the value in the help, "TIME"; empty for a flag. */
  readonly placeholder: string;
  readonly value: OptionValue;
  /** As it would be typed; null when there is none. */
  readonly default: string | null;
  readonly doc: string;
}

/** Shortest and longest time between two slices, in seconds. */
export const PERIOD_SECONDS = { least: 0.01, most: 3600 } as const;

/** No run is longer than a year. */
const MOST_SECONDS = 366 * 24 * 3600;

export const RUN_OPTIONS = {
  period: {
    flag: "--period",
    placeholder: "TIME",
    value: { kind: "duration", ...PERIOD_SECONDS },
    default: "1s",
    doc: "time between two slices",
  },
  duration: {
    flag: "--duration",
    placeholder: "TIME",
    value: { kind: "duration", least: PERIOD_SECONDS.least, most: MOST_SECONDS },
    default: null,
    doc: "end the program after this time (default: when it ends itself)",
  },
  grace: {
    flag: "--grace",
    placeholder: "TIME",
    value: { kind: "duration", least: 0, most: 3600 },
    default: "5s",
    doc: "time between SIGTERM and SIGKILL when edleak ends the program",
  },
  json: {
    flag: "--json",
    placeholder: "FILE",
    value: { kind: "output" },
    default: null,
    doc: "write the report as JSON",
  },
  report: {
    flag: "--report",
    placeholder: "FILE",
    value: { kind: "output" },
    default: null,
    doc: "write the text report there instead of to stderr",
  },
  failOn: {
    flag: "--fail-on",
    placeholder: "STATE",
    value: { kind: "choice", choices: ["likely", "confirmed"] },
    default: null,
    doc: "exit with status 1 when a leak of this state, or a surer one, is found",
  },
  quiet: {
    flag: "--quiet",
    placeholder: "",
    value: { kind: "flag" },
    default: null,
    doc: "no lines while the program runs, and no text report on stderr",
  },
  force: {
    flag: "--force",
    placeholder: "",
    value: { kind: "flag" },
    default: null,
    doc: "run a program although edleak can't see its memory",
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** What `run` was asked for, after parsing; times in seconds. */
export interface RunOptions {
  readonly period: number;
  readonly duration: number | null;
  readonly grace: number;
  readonly json: string | null;
  readonly report: string | null;
  readonly failOn: "likely" | "confirmed" | null;
  readonly quiet: boolean;
  readonly force: boolean;
}

/** Variables that edleak reads or sets; only LD_PRELOAD and EDLEAK_RUN are new in a target. */
export const ENVIRONMENT = {
  LD_PRELOAD: "the agent's path, in front of what was there",
  EDLEAK_RUN: "the run that the process belongs to, a random id",
  EDLEAK_DIR:
    "where segments are kept, instead of /dev/shm/edleak-<uid>; absolute, or made so for the target",
  EDLEAK_KEEP: "1 (anything but 0): a segment that belongs to no run is kept when its process ends",
} as const;

export interface CommandSpec {
  readonly name: string;
  /** Behind the name in the usage line. */
  readonly usage: string;
  readonly doc: string;
}

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "run",
    usage: "[options] -- PROGRAM [ARGUMENTS...]",
    doc: "start a program and say where its memory leaks",
  },
  { name: "doctor", usage: "", doc: "check this machine, and say what to do" },
  { name: "agent", usage: "", doc: "print the path of the agent's library" },
  {
    name: "env",
    usage: "",
    doc: 'print the variables for a program started by something else: eval "$(edleak env)"',
  },
];
