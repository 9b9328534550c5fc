/**
 * File, line and inlined calls by the best line tool that works.
 *
 * A tool that fails on a file is not asked about that file again; one that failed `STRIKES` times
 * is given up. Names are the ELF tier's business and never wait for this one's repair.
 */
import { Addr2line } from "./addr2line.js";
import type { LineToolPaths } from "./find-line-tools.js";
import type { LineChain, LineTool } from "./line-tool.js";
import { LlvmSymbolizer } from "./llvm-symbolizer.js";

/** A file to look lines up in: the path a tool opens it by, and which file that is. */
export interface LineFile {
  readonly path: string;
  readonly identity: string;
}

/** Failures after which a tool is given up: one may be the file's fault. */
const STRIKES = 2;

interface Candidate {
  readonly tool: LineTool;
  readonly badFiles: Set<string>;
  strikes: number;
}

export class LineTier {
  readonly #candidates: readonly Candidate[];
  readonly #identities = new Map<string, string>();

  /** @param timeoutMs milliseconds for one request of at most 256 addresses */
  constructor(paths: LineToolPaths, timeoutMs: number) {
    const tools: LineTool[] = [];
    if (paths.llvmSymbolizer !== null) {
      tools.push(new LlvmSymbolizer(paths.llvmSymbolizer, timeoutMs));
    }
    if (paths.addr2line !== null) tools.push(new Addr2line(paths.addr2line, timeoutMs));
    this.#candidates = tools.map((tool) => ({ tool, badFiles: new Set(), strikes: 0 }));
  }

  /** Chains in the order of `addresses`; null when no tool can tell. Never rejects. */
  async lookUp(file: LineFile, addresses: readonly number[]): Promise<readonly LineChain[] | null> {
    await this.#forgetReplaced(file);
    for (const candidate of this.#candidates) {
      if (candidate.strikes >= STRIKES || candidate.badFiles.has(file.identity)) continue;
      const answer = await candidate.tool.lookUp(file.path, addresses);
      if (answer.ok) return answer.value;
      if (answer.reason === "closed") return null;
      candidate.badFiles.add(file.identity);
      candidate.strikes++;
    }
    return null;
  }

  /** Tools remember what they read by path: when another file has taken the path they start anew. */
  async #forgetReplaced({ path, identity }: LineFile): Promise<void> {
    const was = this.#identities.get(path);
    if (was !== undefined && was !== identity) {
      await Promise.all(this.#candidates.map(({ tool }) => tool.restart()));
      this.#identities.clear();
    }
    this.#identities.set(path, identity);
  }

  /** The tools that were given up. */
  get givenUp(): readonly LineTool["name"][] {
    return this.#candidates.filter((c) => c.strikes >= STRIKES).map((c) => c.tool.name);
  }

  async close(): Promise<void> {
    await Promise.all(this.#candidates.map(({ tool }) => tool.close()));
  }
}
