/** Lines by addr2line of binutils: one process for each file, the last few kept open. */
import { ok, type Result } from "../base/result.js";
import { withoutCloneSuffix } from "./clone-suffix.js";
import { CoProcess, type ExchangeFailure } from "./co-process.js";
import {
  hexAddress,
  inBatches,
  type LineChain,
  type LineFrame,
  type LineTool,
  lineFrame,
} from "./line-tool.js";

/** Each holds the debug info of its file in memory. */
const OPEN_LIMIT = 4;
/** Asked after each batch: an answer has no other end. No file has code there. */
const SENTINEL = "0xfffffffffffffffe";

export class Addr2line implements LineTool {
  readonly name = "addr2line";
  readonly #command: string;
  readonly #timeoutMs: number;
  readonly #open = new Map<string, CoProcess>();

  constructor(command: string, timeoutMs: number) {
    this.#command = command;
    this.#timeoutMs = timeoutMs;
  }

  async lookUp(
    path: string,
    addresses: readonly number[],
  ): Promise<Result<readonly LineChain[], ExchangeFailure>> {
    const process = await this.#processFor(path);
    return inBatches(addresses, async (batch) => {
      const parser = new Addr2lineParser(batch);
      const outcome = await process.ask({
        input: [...batch.map(hexAddress), SENTINEL, ""].join("\n"),
        accept: (line) => parser.accept(line),
      });
      return outcome.ok ? ok(parser.chains) : outcome;
    });
  }

  restart(): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((process) => process.close()));
    this.#open.clear();
  }

  async #processFor(path: string): Promise<CoProcess> {
    const args = ["-afi", "-e", path];
    const process =
      this.#open.get(path) ??
      new CoProcess({ command: this.#command, args, timeoutMs: this.#timeoutMs });
    this.#open.delete(path);
    this.#open.set(path, process);
    for (const [oldest, idle] of this.#open) {
      if (this.#open.size <= OPEN_LIMIT) break;
      this.#open.delete(oldest);
      await idle.close();
    }
    return process;
  }
}

/** Reads "0x0000000000001234", then pairs of function and file:line, for each address asked. */
export class Addr2lineParser {
  readonly #chains: LineFrame[][] = [];
  readonly #echoes: readonly string[];
  #echo = 0;
  #function: string | null = null;
  #linesInPair = 0;

  constructor(addresses: readonly number[]) {
    const padded = addresses.map((address) => `0x${address.toString(16).padStart(16, "0")}`);
    this.#echoes = [...padded, SENTINEL];
  }

  /** What was read so far. */
  get chains(): readonly LineChain[] {
    return this.#chains.map(withoutWrongName);
  }

  accept(line: string): "more" | "done" | "garbage" {
    if (this.#linesInPair === 0 && line === this.#echoes[this.#echo]) {
      this.#echo++;
      this.#chains.push([]);
      return "more";
    }
    if (this.#echo === 0) return "garbage";
    if (this.#linesInPair === 0) {
      this.#function = line === "??" ? null : line;
      this.#linesInPair = 1;
      return "more";
    }
    this.#linesInPair = 0;
    const frame = frameOf(this.#function, line);
    if (frame === null) return "garbage";
    if (this.#echo === this.#echoes.length) {
      this.#chains.pop();
      return "done";
    }
    if (frame.function !== null || frame.file !== null) this.#chains.at(-1)?.push(frame);
    return "more";
  }
}

/**
 * binutils gives an innermost call whose function has no linkage name (static, C++) the name of the
 * physical one, as the symbol table has it ("main.cold"). No name is better than a wrong one.
 */
function withoutWrongName(chain: LineChain): LineChain {
  const [first, ...outer] = chain;
  const physical = outer.at(-1);
  if (first === undefined || physical === undefined) return chain;
  if (withoutClone(first) !== withoutClone(physical)) return chain;
  return [{ ...first, function: null }, ...outer];
}

const withoutClone = ({ function: name }: LineFrame): string | null =>
  name === null ? null : withoutCloneSuffix(name);

function frameOf(name: string | null, place: string): LineFrame | null {
  const parts = /^(.*):(\d+|\?)(?: \(discriminator \d+\))?$/.exec(place);
  if (parts === null) return null;
  const [, file, digits] = parts;
  const known = file === undefined || file === "" || file === "??" ? null : file;
  return lineFrame(name, known, Number(digits));
}
