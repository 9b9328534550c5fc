/**
 * Every failure a user can meet: a stable code, a sentence, advice. A factory takes the data it needs.
 * Grammar: capital, no full stop, active voice, values in quotes.
 */

/** What a catalogue entry makes. */
export interface ErrorText {
  readonly message: string;
  readonly advice: string;
  /** Exit status of the command, behaviour section 2. */
  readonly exit: number;
}

const usage = (message: string, advice: string): ErrorText => ({ message, advice, exit: 125 });

/** A target that the agent can't see into; `--force` runs it all the same. */
const unseen = (message: string, advice: string): ErrorText => ({
  message,
  advice: `${advice}; "--force" runs it unseen`,
  exit: 125,
});

/** The catalogue. Add an entry here before throwing; codes are never renamed. */
export const ERRORS = {
  // The command line.
  NOTHING_TO_RUN: () =>
    usage("Nothing to run", "Say which program: edleak run -- ./server --its-options"),
  UNKNOWN_COMMAND: (name: string) =>
    usage(`Unknown command "${name}"`, `To watch a program: edleak run -- ${name}`),
  UNKNOWN_OPTION: (option: string, command: string) =>
    usage(
      `Unknown option "${option}"`,
      `Options of the program stand behind it; "edleak ${command} --help" lists edleak's own`,
    ),
  UNEXPECTED_ARGUMENT: (argument: string, command: string) =>
    usage(`Unexpected argument "${argument}"`, `"edleak ${command} --help" shows what it takes`),
  VALUE_MISSING: (option: string, wanted: string) =>
    usage(`"${option}" has no value`, `Give ${wanted}`),
  VALUE_REFUSED: (option: string, value: string, wanted: string) =>
    usage(
      `"${option}" is "${value}": it must be ${wanted}`,
      "Times are typed as 500ms, 20, 5m, 2h",
    ),
  CHOICE_REFUSED: (option: string, value: string, choices: string) =>
    usage(`"${option}" is "${value}": it must be ${choices}`, "Correct the option"),
  DURATION_TOO_SHORT: (duration: string, period: string) =>
    usage(
      `"--duration" (${duration}) is shorter than "--period" (${period}): no slice would be taken`,
      "Give a longer duration or a shorter period",
    ),
  STDOUT_IS_THE_TARGETS: (option: string) =>
    usage(
      `"${option}" is stdout, which belongs to the program that is run`,
      `Give a file: ${option} FILE`,
    ),
  SAME_OUTPUT: (one: string, other: string, path: string) =>
    usage(`"${one}" and "${other}" are the same file: "${path}"`, "Give each its own file"),
  OUTPUT_NOT_WRITABLE: (path: string, why: string) =>
    usage(`Cannot write "${path}": ${why}`, "Give a file in a folder that you may write to"),
  STDOUT_NOT_WRITABLE: () =>
    usage("Cannot write to stdout: it is full, or nobody reads it", "Send it where there is room"),
  NESTED_RUN: () =>
    usage(
      'Refused to run edleak under "edleak run"',
      "Name the program itself: edleak run -- ./server",
    ),

  // The program that is to run.
  NOT_FOUND: (program: string) => ({
    message: `Program not found: "${program}"`,
    advice: "Check the name, or give its path",
    exit: 127,
  }),
  NOT_EXECUTABLE: (program: string, why: string) => ({
    message: `Cannot execute "${program}": ${why}`,
    advice: "Check the file and its permissions (chmod +x)",
    exit: 126,
  }),
  INTERPRETER_NOT_FOUND: (script: string, interpreter: string) => ({
    message: `Interpreter of "${script}" not found: "${interpreter}"`,
    advice: 'Correct the first line of the script ("#!...")',
    exit: 127,
  }),
  STATIC_PROGRAM: (path: string) =>
    unseen(
      `"${path}" is statically linked: it loads no agent`,
      "Link it dynamically (without -static)",
    ),
  GO_PROGRAM: (path: string) =>
    unseen(
      `"${path}" is a Go program: its heap is Go's own, not malloc's`,
      "Use Go's heap profile (net/http/pprof)",
    ),
  OWN_ALLOCATOR: (path: string, name: string) =>
    unseen(
      `"${path}" brings its own "${name}": the agent's is never called`,
      "Link the allocator as a shared library, or use the allocator's own profiler",
    ),
  SANITIZER: (path: string, name: string) =>
    unseen(
      `"${path}" is built with ${name}, which owns malloc`,
      "Build it without the sanitizer, or use LeakSanitizer's report",
    ),
  PRIVILEGED_PROGRAM: (path: string, what: string) =>
    unseen(
      `"${path}" ${what}: the loader ignores the agent in it`,
      "Run it as the user whose rights it takes, or run a copy without them",
    ),
  OTHER_C_LIBRARY: (path: string, its: string, ours: string) =>
    unseen(
      `"${path}" uses ${its} and the agent is built for ${ours}`,
      `Build edleak on a system with ${its}`,
    ),
  OTHER_MACHINE: (path: string, what: string, ours: string) =>
    unseen(
      `"${path}" is a ${what} program and the agent is built for ${ours}`,
      "Run edleak on the machine it is built for",
    ),

  // This machine.
  NOT_BUILT: (path: string) =>
    usage(
      `A part of edleak is missing: "${path}"`,
      'Build it: "npm run setup" in edleak\'s folder',
    ),
  STARTED_WITHOUT_LAUNCHER: () =>
    usage(
      "This is the host alone: the launcher starts it",
      "Start edleak by its command: bin/edleak, or npx edleak",
    ),
  LAUNCHER_LOST: () =>
    usage("The launcher has ended, and the program goes on unwatched", "Start edleak again"),
  NO_WORKING_FOLDER: (name: string) =>
    usage(
      `The working folder was deleted: "${name}" leads nowhere`,
      "Change to a folder that exists, or give absolute paths",
    ),
  NO_SEGMENT_DIRECTORY: (path: string, why: string) =>
    unseen(
      `Cannot keep counters in "${path}": ${why}`,
      "Set EDLEAK_DIR to a folder in shared memory (tmpfs) that you may write to",
    ),
  NO_AGENT_COPY: (path: string, why: string) =>
    unseen(
      `The path of the agent ("${path}") has a space, colon or "$", and no copy could be made: ${why}`,
      "Set XDG_CACHE_HOME to a folder without these that you may write to",
    ),
  SEGMENT_REFUSED: (path: string, why: string) =>
    usage(
      `Cannot read the segment "${path}": ${why}`,
      "Use the agent and the host of one edleak version",
    ),
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorData<C extends ErrorCode> = Parameters<(typeof ERRORS)[C]>;
