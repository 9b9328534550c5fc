/** A failure that a user must act on; thrown with a code of the catalogue. */
import { ERRORS, type ErrorCode, type ErrorData, type ErrorText } from "../contract/errors.js";

export class EdLeakError extends Error {
  readonly code: ErrorCode;
  readonly advice: string;
  /** Exit status the command line gives for it. */
  readonly exit: number;

  constructor(code: ErrorCode, text: ErrorText) {
    super(text.message);
    this.name = "EdLeakError";
    this.code = code;
    this.advice = text.advice;
    this.exit = text.exit;
  }
}

/**
 * Makes the error of a catalogue entry.
 * @example
 * throw edleakError("NOT_FOUND", "./sever");
 */
export function edleakError<C extends ErrorCode>(code: C, ...data: ErrorData<C>): EdLeakError {
  const make = ERRORS[code] as (...data: ErrorData<C>) => ErrorText;
  return new EdLeakError(code, make(...data));
}
