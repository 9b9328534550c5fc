/**
 * Test helper: writes a segment as the agent does, one allocation at a time, following the host's words in
 * the file. Threads are shards with a latch; an event can be held open between its parts, as a
 * preempted thread holds it.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { LAYOUT_VERSION } from "../../contract/limits.js";
import {
  ALLOCER,
  type Ceilings,
  CONTROL_OFFSET,
  controlWord,
  EVIDENCE,
  HEADER,
  LINE,
  LOSSES,
  type LossName,
  MODULE,
  MODULES_OFFSET,
  regionOffsets,
  SEGMENT_MAGIC,
  SegmentArch,
  SegmentState,
  SHARD,
  SHARDS_OFFSET,
  ShardKind,
  SLICE_OF_GEN_OFFSET,
  SLOT_OF_GEN_OFFSET,
} from "../../contract/segment.js";
import { allocer, control, evidence, header, line, module, shard } from "../layout.js";

/** Small ceilings keep files small; the layout is the same. */
export const SMALL: Ceilings = { maxAllocers: 128, maxModules: 16, shardCount: 4 };

export interface FakeIdentity {
  readonly pid?: number;
  readonly startTime?: number;
  readonly pidNamespace?: number;
  readonly uid?: number;
  readonly runId?: string;
  readonly bootId?: string;
  readonly exe?: string;
  readonly inheritedGen?: number;
}

export interface FakeBlock {
  readonly allocer: number;
  readonly bytes: number;
  /** Generation id in its tag. */
  readonly generation: number;
}

/** log2 bucket of an age in slices, as the agent computes it. */
export const ageBucket = (age: number): number => (age <= 0 ? 0 : Math.floor(Math.log2(age)) + 1);

export class FakeAgent {
  readonly path: string;
  readonly ceilings: Ceilings;
  readonly layout: ReturnType<typeof regionOffsets>;
  readonly #fd: number;
  readonly #evidenceOf = new Map<number, number>();
  #allocers = 0;
  #modules = 0;
  #shards = 0;

  /** Makes the segment, ready, with allocer 0. */
  constructor(path: string, identity: FakeIdentity = {}, ceilings: Ceilings = SMALL) {
    this.path = path;
    this.ceilings = ceilings;
    this.layout = regionOffsets(ceilings);
    this.#fd = openSync(path, "wx+", 0o600);
    ftruncateSync(this.#fd, this.layout.fileBytes);
    this.#writeHeader(identity);
    this.putU64(CONTROL_OFFSET + control("word"), controlWord(identity.inheritedGen ?? 0, 0));
    this.issueAllocer([]);
    this.setState(SegmentState.live);
  }

  /** Gives out an allocer id. */
  issueAllocer(key: readonly bigint[], more: { parent?: number; module?: number } = {}): number {
    const id = this.#allocers++;
    const at = this.layout.allocers + id * ALLOCER.size;
    key.forEach((address, level) => {
      this.putU64(at + allocer("key") + 8 * level, address);
    });
    this.put(at + allocer("depth"), Buffer.of(key.length));
    this.putU32(at + allocer("parent"), more.parent ?? 0);
    this.putU32(at + allocer("module"), more.module ?? 0);
    this.putU32(header("allocersIssued"), this.#allocers);
    return id;
  }

  /** Announces a module; `start` 0 is one whose record is not complete yet. */
  addModule(path: string, start: bigint, buildId = Buffer.alloc(0)): number {
    const index = this.#modules++;
    const at = MODULES_OFFSET + index * MODULE.size;
    this.putU64(at + module("end"), start + 0x1000n);
    this.putU64(at + module("bias"), start);
    this.putU32(at + module("buildIdBytes"), buildId.length);
    this.put(at + module("buildId"), buildId);
    this.putU32(at + module("pathBytes"), Buffer.byteLength(path));
    this.put(at + module("path"), Buffer.from(`${path}\0`));
    this.putU64(at + module("start"), start);
    this.putU32(header("modulesIssued"), this.#modules);
    return index;
  }

  /** Completes a module's record. */
  completeModule(index: number, start: bigint): void {
    this.putU64(MODULES_OFFSET + index * MODULE.size + module("start"), start);
  }

  /** A new thread with a shard of its own. */
  thread(): FakeThread {
    const index = this.#shards++;
    this.putU32(SHARDS_OFFSET + index * SHARD.size + shard("tid"), 1000 + index);
    this.putU32(SHARDS_OFFSET + index * SHARD.size + shard("kind"), ShardKind.exclusive);
    return new FakeThread(this, index);
  }

  lose(reason: LossName, count: number): void {
    const index = LOSSES.findIndex(({ name }) => name === reason);
    this.add64(header("losses") + 8 * index, count);
  }

  overrun(id: number): void {
    this.#add32(this.layout.allocers + id * ALLOCER.size + allocer("overruns"), 1);
  }

  setState(state: number): void {
    this.putU32(header("state"), state);
  }

  /** Generation id that the host last wrote. */
  currentGeneration(): number {
    return this.getU32(CONTROL_OFFSET + control("word")) & 0xfff;
  }

  /** The slot that the map gives a generation now. */
  slotOf(generation: number): number {
    return this.get(SLOT_OF_GEN_OFFSET + generation, 1)[0]! & 63;
  }

  sliceOf(generation: number): number {
    return this.getU32(SLICE_OF_GEN_OFFSET + 4 * generation);
  }

  /** Counts the free of a block of an older generation. */
  addEvidence(block: FakeBlock, slot: number, age: number): void {
    const at = this.layout.evidence + this.#evidenceRecord(block.allocer) * EVIDENCE.size;
    this.#add32(at + evidence("freedBlocks") + 4 * slot, 1);
    this.add64(at + evidence("freedBytes") + 8 * slot, block.bytes);
    this.#add32(at + evidence("ageFrees") + 4 * ageBucket(age), 1);
    this.add64(at + evidence("oldFrees"), 1);
    this.add64(at + evidence("oldFreedBytes"), block.bytes);
  }

  get(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#fd, bytes, 0, length, position);
    return bytes;
  }

  getU32 = (position: number): number => this.get(position, 4).readUInt32LE();
  getU64 = (position: number): bigint => this.get(position, 8).readBigUInt64LE();

  put(position: number, bytes: Uint8Array): void {
    writeSync(this.#fd, bytes, 0, bytes.length, position);
  }

  putU32(position: number, value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.put(position, bytes);
  }

  putU64(position: number, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    this.put(position, bytes);
  }

  add64(position: number, amount: number): void {
    this.putU64(position, this.getU64(position) + BigInt(amount));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #add32(position: number, amount: number): void {
    this.putU32(position, this.getU32(position) + amount);
  }

  #evidenceRecord(id: number): number {
    const known = this.#evidenceOf.get(id);
    if (known !== undefined) return known;
    const index = this.#evidenceOf.size;
    this.#evidenceOf.set(id, index);
    this.putU32(this.layout.evidence + index * EVIDENCE.size + evidence("allocer"), id);
    this.putU32(this.layout.allocers + id * ALLOCER.size + allocer("evidence"), index + 1);
    this.putU32(header("evidenceIssued"), index + 1);
    return index;
  }

  #writeHeader(identity: FakeIdentity): void {
    const { layout, ceilings } = this;
    const text = (name: string, value: string) => this.put(header(name), Buffer.from(`${value}\0`));
    this.putU64(header("magic"), SEGMENT_MAGIC);
    this.putU32(header("layoutVersion"), LAYOUT_VERSION);
    this.putU32(header("headerBytes"), HEADER.size);
    text("agentVersion", "0.0.test");
    this.putU64(header("fileBytes"), BigInt(layout.fileBytes));
    this.putU32(header("pageBytes"), 4096);
    this.putU32(header("arch"), SegmentArch.x86_64);
    this.putU32(header("pid"), identity.pid ?? 4711);
    this.putU64(header("startTime"), BigInt(identity.startTime ?? 1234));
    this.putU64(header("pidNamespace"), BigInt(identity.pidNamespace ?? 4026531836));
    this.putU32(header("uid"), identity.uid ?? process.geteuid?.() ?? 0);
    this.putU32(header("inheritedGen"), identity.inheritedGen ?? 0);
    text("runId", identity.runId ?? "");
    text("bootId", identity.bootId ?? "0123abcd-0000-0000-0000-000000000000");
    this.putU32(header("maxAllocers"), ceilings.maxAllocers);
    this.putU32(header("shardCount"), ceilings.shardCount);
    this.putU32(header("exclusiveShards"), Math.min(48, ceilings.shardCount));
    this.putU32(header("maxModules"), ceilings.maxModules);
    this.putU64(header("controlOffset"), BigInt(CONTROL_OFFSET));
    this.putU64(header("slotOfGenOffset"), BigInt(SLOT_OF_GEN_OFFSET));
    this.putU64(header("sliceOfGenOffset"), BigInt(SLICE_OF_GEN_OFFSET));
    this.putU64(header("shardsOffset"), BigInt(SHARDS_OFFSET));
    this.putU64(header("modulesOffset"), BigInt(MODULES_OFFSET));
    this.putU64(header("allocersOffset"), BigInt(layout.allocers));
    this.putU64(header("evidenceOffset"), BigInt(layout.evidence));
    this.putU64(header("linesOffset"), BigInt(layout.lines));
    this.putU64(header("shardStride"), BigInt(layout.shardStride));
    text("exe", identity.exe ?? "/usr/bin/leaker");
    text("allocator", "/lib/libc.so.6");
  }
}

/** A thread of the target: writes the lines and the latch of its shard. */
export class FakeThread {
  readonly #agent: FakeAgent;
  readonly #shard: number;

  constructor(agent: FakeAgent, index: number) {
    this.#agent = agent;
    this.#shard = index;
  }

  /** Latches the current generation and returns the way to count in it, now or later. */
  begin(): FakeTurn {
    const at = SHARDS_OFFSET + this.#shard * SHARD.size + shard("latch");
    const current = this.#agent.currentGeneration();
    let latch = this.#agent.getU64(at);
    let phase = Number((latch >> 24n) & 1n);
    if (Number((latch >> BigInt(12 * phase)) & 0xfffn) !== current) {
      phase ^= 1;
      const other = (latch >> BigInt(12 * (phase ^ 1))) & 0xfffn;
      const ids = (BigInt(current) << BigInt(12 * phase)) | (other << BigInt(12 * (phase ^ 1)));
      latch = (((latch >> 24n) + 1n) << 24n) | ids;
      this.#agent.putU64(at, latch);
    }
    return new FakeTurn(this.#agent, this.#shard, phase, current);
  }

  alloc(id: number, bytes: number): FakeBlock {
    return this.begin().alloc(id, bytes);
  }

  free(block: FakeBlock): void {
    this.begin().free(block);
  }
}

/** One event between its latch and its count. */
export class FakeTurn {
  readonly #agent: FakeAgent;
  readonly #shard: number;
  readonly #phase: number;
  readonly generation: number;

  constructor(agent: FakeAgent, index: number, phase: number, generation: number) {
    this.#agent = agent;
    this.#shard = index;
    this.#phase = phase;
    this.generation = generation;
  }

  alloc(id: number, bytes: number): FakeBlock {
    const at = this.#line(id) + line("allocs0");
    this.#agent.add64(at, 1);
    this.#agent.add64(at + 8, bytes);
    return { allocer: id, bytes, generation: this.generation };
  }

  /** Frees a block; `slot` and `age` are what the thread loaded, by default what the maps say now. */
  free(block: FakeBlock, loaded = this.load(block)): void {
    if (block.generation === this.generation) {
      const at = this.#line(block.allocer) + line("frees0");
      this.#agent.add64(at, 1);
      this.#agent.add64(at + 8, block.bytes);
      return;
    }
    this.#agent.addEvidence(block, loaded.slot, loaded.age);
  }

  /** What a thread loads from the maps before it counts an older block's free. */
  load(block: FakeBlock): { readonly slot: number; readonly age: number } {
    return {
      slot: this.#agent.slotOf(block.generation),
      age: this.#agent.sliceOf(this.generation) - this.#agent.sliceOf(block.generation),
    };
  }

  #line(id: number): number {
    const { lines, shardStride } = this.#agent.layout;
    return lines + this.#shard * shardStride + id * LINE.size + this.#phase * 32;
  }
}
