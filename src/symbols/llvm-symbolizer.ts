/** Lines by llvm-symbolizer (13 or newer, for its JSON): one process for all files. */
import { ok, type Result } from "../base/result.js";
import { CoProcess, type ExchangeFailure } from "./co-process.js";
import {
  hexAddress,
  inBatches,
  type LineChain,
  type LineFrame,
  type LineTool,
  lineFrame,
} from "./line-tool.js";

/** Names stay mangled: both tiers use one demangler, so that a function has one name. */
const ARGS = ["--output-style=JSON", "--inlines", "--no-demangle"];

export class LlvmSymbolizer implements LineTool {
  readonly name = "llvm-symbolizer";
  readonly #process: CoProcess;

  constructor(command: string, timeoutMs: number) {
    this.#process = new CoProcess({ command, args: ARGS, timeoutMs });
  }

  lookUp(
    path: string,
    addresses: readonly number[],
  ): Promise<Result<readonly LineChain[], ExchangeFailure>> {
    return inBatches(addresses, (batch) => this.#ask(path, batch));
  }

  async #ask(
    path: string,
    addresses: readonly number[],
  ): Promise<Result<readonly LineChain[], ExchangeFailure>> {
    const chains: LineChain[] = [];
    const outcome = await this.#process.ask({
      input: addresses.map((address) => `"${path}" ${hexAddress(address)}\n`).join(""),
      accept: (line) => {
        if (line === "") return "more";
        const chain = parseAnswer(line, hexAddress(addresses[chains.length]!));
        if (chain === null) return "garbage";
        chains.push(chain);
        return chains.length === addresses.length ? "done" : "more";
      },
    });
    return outcome.ok ? ok(chains) : outcome;
  }

  restart(): Promise<void> {
    return this.#process.restart();
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}

/** One line of the tool's JSON, null when it is not the answer for `address`. */
export function parseAnswer(line: string, address: string): LineChain | null {
  let answer: unknown;
  try {
    answer = JSON.parse(line);
  } catch {
    return null;
  }
  const { Address, Symbol: symbols, Error: error } = asRecord(answer);
  if (Address !== address) return null;
  // A file that the tool cannot use: nothing is known, and nothing is wrong with the tool.
  if (error !== undefined) return [];
  if (!Array.isArray(symbols)) return null;
  return symbols.map(frameOf).filter((frame) => frame.function !== null || frame.file !== null);
}

function frameOf(symbol: unknown): LineFrame {
  const { FunctionName, FileName, Line } = asRecord(symbol);
  return lineFrame(textOrNull(FunctionName), textOrNull(FileName), Number(Line));
}

const textOrNull = (value: unknown): string | null =>
  typeof value === "string" && value !== "" && value !== "??" ? value : null;

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
