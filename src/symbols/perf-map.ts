/** Names of generated code, from the perf map that a runtime writes: "START SIZE NAME" in hex. */
import { ByteSource } from "./byte-source.js";
import { printable } from "./printable.js";

const MAP_LIMIT_BYTES = 64 * 1024 * 1024;
/** How many entries before an address are looked at for one that spans it. */
const LOOK_BACK = 64;

interface Entry {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  /** Line of the file: code moves and memory is used again, so the later entry counts. */
  readonly order: number;
}

/** Where runtimes write the map of a process, as perf expects it. */
export const perfMapPath = (pid: number): string => `/tmp/perf-${pid}.map`;

/** The perf map at a path, read again when it has grown. Anyone may write there: its owner is checked. */
export class PerfMap {
  readonly #path: string;
  readonly #uid: number;
  #entries: readonly Entry[] = [];
  #size = -1;

  /** @param uid the process's user; a map of another owner is ignored */
  constructor(path: string, uid: number) {
    this.#path = path;
    this.#uid = uid;
  }

  /** Reads the map if it changed since the last call; without a map nothing is known. */
  refresh(): void {
    const opened = ByteSource.open(this.#path, "refuse");
    if (!opened.ok) return;
    const source = opened.value;
    if (source.uid === this.#uid && source.size !== this.#size) {
      this.#size = source.size;
      const read = source.readUpTo(0, MAP_LIMIT_BYTES, "perf map");
      if (read.ok) this.#entries = parse(read.value.toString("utf8"));
    }
    source.close();
  }

  find(address: bigint): string | undefined {
    const at = Number(address);
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.start <= at) low = middle + 1;
      else high = middle;
    }
    const near = this.#entries.slice(Math.max(0, low - LOOK_BACK), low);
    const spanning = near.filter((entry) => at < entry.end);
    return spanning.reduce<Entry | null>(later, null)?.name;
  }
}

const later = (a: Entry | null, b: Entry): Entry => (a === null || b.order > a.order ? b : a);

/** Whole lines only: the runtime may be writing the last one. */
function parse(text: string): readonly Entry[] {
  const entries: Entry[] = [];
  for (const line of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    const fields = /^(?:0x)?([0-9a-f]{1,12}) (?:0x)?([0-9a-f]{1,12}) (.+)$/i.exec(line);
    if (fields === null) continue;
    const [, first, size, name] = fields;
    const start = Number.parseInt(first!, 16);
    const end = start + Number.parseInt(size!, 16);
    entries.push({ start, end, name: printable(name!), order: entries.length });
  }
  return entries.sort((a, b) => a.start - b.start);
}
