/** Reads the module records; one that is not complete yet is looked at again at the next reading. */
import { MODULE, MODULES_OFFSET, ModuleFlag } from "../contract/segment.js";
import type { ModuleInfo } from "../contract/slice.js";
import { module as at, readText } from "./layout.js";
import type { OpenSegment } from "./open-segment.js";
import type { Refusal } from "./refusal.js";

const PATH_ROOM = MODULE.size - at("path");
const BUILD_ID_ROOM = at("pathBytes") - at("buildId");

function parseModule(bytes: Buffer, base: number, index: number): ModuleInfo {
  const flags = bytes.readUInt32LE(base + at("flags"));
  const buildIdBytes = bytes.readUInt32LE(base + at("buildIdBytes"));
  const pathBytes = Math.min(bytes.readUInt32LE(base + at("pathBytes")), PATH_ROOM);
  const buildId = base + at("buildId");
  return {
    index,
    start: bytes.readBigUInt64LE(base + at("start")),
    end: bytes.readBigUInt64LE(base + at("end")),
    bias: bytes.readBigUInt64LE(base + at("bias")),
    path: readText(bytes, base + at("path"), pathBytes),
    buildId:
      buildIdBytes <= BUILD_ID_ROOM ? bytes.toString("hex", buildId, buildId + buildIdBytes) : "",
    loadEpoch: bytes.readUInt32LE(base + at("loadEpoch")),
    flags: {
      agent: (flags & ModuleFlag.agent) !== 0,
      executable: (flags & ModuleFlag.executable) !== 0,
      vdso: (flags & ModuleFlag.vdso) !== 0,
    },
  };
}

export class ModuleRecords {
  readonly #segment: OpenSegment;
  #bytes: Buffer = Buffer.alloc(0);
  #known = 0;
  #incomplete: number[] = [];
  #fresh: ModuleInfo[] = [];

  constructor(segment: OpenSegment) {
    this.#segment = segment;
  }

  /** Modules that became complete with the last reading, by index. */
  get fresh(): readonly ModuleInfo[] {
    return this.#fresh;
  }

  /** Reads what the first `issued` records have that was not seen before. */
  read(issued: number): Refusal | null {
    this.#fresh = [];
    const from = Math.min(this.#known, this.#incomplete[0] ?? this.#known);
    if (from >= issued) return null;
    const length = (issued - from) * MODULE.size;
    if (this.#bytes.length < length) this.#bytes = Buffer.alloc(length);
    const failure = this.#segment.readAt(this.#bytes, length, MODULES_OFFSET + from * MODULE.size);
    if (failure) return failure;
    const wanted = [...this.#incomplete];
    for (; this.#known < issued; this.#known++) wanted.push(this.#known);
    this.#incomplete = [];
    for (const index of wanted) {
      const module = parseModule(this.#bytes, (index - from) * MODULE.size, index);
      if (module.start === 0n) this.#incomplete.push(index);
      else this.#fresh.push(module);
    }
    return null;
  }
}
