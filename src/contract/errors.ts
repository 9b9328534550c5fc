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

/** The catalogue. Add an entry here before throwing; codes are never renamed. */
export const ERRORS = {
  NOTHING_TO_RUN: () =>
    usage("Nothing to run", "Say which program: edleak run -- ./server --its-options"),
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
  SEGMENT_REFUSED: (path: string, why: string) =>
    usage(
      `Cannot read the segment "${path}": ${why}`,
      "Use the agent and the host of one edleak version",
    ),
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorData<C extends ErrorCode> = Parameters<(typeof ERRORS)[C]>;
