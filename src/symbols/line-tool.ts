/** What every line tool does: addresses of one file to chains of frames with file and line. */
import type { Result } from "../base/result.js";
import type { ExchangeFailure } from "./co-process.js";

/** One frame as the debug info has it; null is what it doesn't say. File and line come together. */
export interface LineFrame {
  /** Mangled, as in the debug info. */
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

/**
 * A frame of what a tool said. A file without a line is only the name of the compilation unit that
 * compiler-made code belongs to: no place to send anybody to.
 */
export function lineFrame(name: string | null, file: string | null, line: number): LineFrame {
  const isPlace = file !== null && Number.isSafeInteger(line) && line > 0;
  return { function: name, file: isPlace ? file : null, line: isPlace ? line : null };
}

/** Innermost inlined call first, the physical function last; empty when nothing is known. */
export type LineChain = readonly LineFrame[];

export interface LineTool {
  readonly name: "llvm-symbolizer" | "addr2line";
  /** Chains in the order of `addresses`, which are virtual addresses of the file at `path`. */
  lookUp(
    path: string,
    addresses: readonly number[],
  ): Promise<Result<readonly LineChain[], ExchangeFailure>>;
  /** Forgets every file it has read; look-ups under way fail. */
  restart(): Promise<void>;
  /** Ends its processes; look-ups under way fail as "closed". */
  close(): Promise<void>;
}

/** Addresses per request, so that a time-out speaks of bounded work. */
export const BATCH_LIMIT = 256;

/** Runs `ask` on pieces of at most `BATCH_LIMIT` addresses and joins the chains. */
export async function inBatches(
  addresses: readonly number[],
  ask: (batch: readonly number[]) => Promise<Result<readonly LineChain[], ExchangeFailure>>,
): Promise<Result<readonly LineChain[], ExchangeFailure>> {
  const chains: LineChain[] = [];
  for (let at = 0; at < addresses.length; at += BATCH_LIMIT) {
    const answer = await ask(addresses.slice(at, at + BATCH_LIMIT));
    if (!answer.ok) return answer;
    chains.push(...answer.value);
  }
  return { ok: true, value: chains };
}

/** 0x1234 as the tools read it. */
export const hexAddress = (address: number): string => `0x${address.toString(16)}`;
