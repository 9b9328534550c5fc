import { closeSync, openSync, readSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "../base/testing/random-numbers.js";
import { HEADER, PAGE_BYTES, SHARDS_OFFSET } from "../contract/segment.js";
import type { Slice } from "../contract/slice.js";
import { header } from "./layout.js";
import { openSegment } from "./open-segment.js";
import { describeRefusal } from "./refusal.js";
import { claimSegment } from "./segment-owner.js";
import { FakeAgent, type FakeBlock } from "./testing/fake-agent.js";
import { temporaryDirectory } from "./testing/temporary-directory.js";

/** What is done to the file, by its path. */
type Mutation = (path: string, agent: FakeAgent) => void;

const HOST = { pid: 1, startTime: 1, pidNamespace: 1, bootId: "" };
/** A reading of this small segment makes far less; an absurd allocation makes far more. */
const MOST_BYTES = 64 * 1024 * 1024;

const answers = new Map<string, number>();
const note = (kind: string) => answers.set(kind, (answers.get(kind) ?? 0) + 1);

function checkSlice(slice: Slice, allocers: number): void {
  const { births, oldFrees, ages } = slice;
  const columns = [
    ...[births.blocks, births.bytes, births.frees, births.freedBytes],
    ...[oldFrees.blocks, oldFrees.bytes, ages.blocks],
  ];
  for (const column of columns)
    for (const value of column)
      if (!(value >= 0 && value < 2 ** 60)) throw new Error(`impossible count ${value}`);
  for (const ids of [births.allocer, oldFrees.allocer, ages.allocer])
    for (const id of ids) if (id >= allocers) throw new Error(`unknown allocer ${id}`);
  for (const birth of [...births.birthSlice, ...oldFrees.birthSlice])
    if (birth > slice.index) throw new Error(`born in slice ${birth}, after ${slice.index}`);
}

/** Opens, claims, takes slices; everything must end in slices or in reasons with a sentence. */
function survive(path: string): void {
  const opened = openSegment(path);
  if (!opened.ok) {
    note(opened.reason.kind);
    expect(describeRefusal(opened.reason)).not.toBe("");
    return;
  }
  const owner = claimSegment(opened.value, { self: HOST, residentBytes: () => null });
  if (!owner.ok) throw new Error(owner.reason.kind);
  try {
    for (let index = 0; index < 3; index++) {
      const slice = owner.value.takeSlice(index, () => {});
      note(slice.ok ? "slice" : slice.reason.kind);
      if (!slice.ok) break;
      checkSlice(slice.value, opened.value.header.ceilings.maxAllocers);
    }
  } finally {
    owner.value.close();
    opened.value.close();
  }
}

/** A segment with some life in it: two threads, old frees, modules, an owner that has gone. */
function lively(path: string): FakeAgent {
  const agent = new FakeAgent(path);
  agent.addModule("/usr/bin/leaker", 0x400000n, Buffer.from("c0ffee", "hex"));
  for (let id = 1; id < 100; id++) agent.issueAllocer([0x400000n + BigInt(id)], { module: 1 });
  const threads = [agent.thread(), agent.thread()];
  const opened = openSegment(path);
  if (!opened.ok) throw new Error(opened.reason.kind);
  const owner = claimSegment(opened.value, { self: HOST, residentBytes: () => null });
  if (!owner.ok) throw new Error(owner.reason.kind);
  const blocks: FakeBlock[] = [];
  for (let index = 0; index < 3; index++) {
    for (let id = 1; id < 100; id += 7) blocks.push(threads[index % 2]!.alloc(id, id * 10));
    threads[0]!.free(blocks.shift()!);
    owner.value.takeSlice(index, () => {});
  }
  owner.value.close();
  opened.value.close();
  return agent;
}

function hostile(mutate: Mutation): void {
  const cleanUp: (() => void)[] = [];
  const path = join(
    temporaryDirectory((fn) => cleanUp.push(fn)),
    "0123abcd-4711-1234",
  );
  const agent = lively(path);
  cleanUp.push(() => agent.close());
  try {
    mutate(path, agent);
    const before = process.memoryUsage().arrayBuffers;
    survive(path);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MOST_BYTES);
  } finally {
    for (const fn of cleanUp.reverse()) fn();
  }
}

/** Flips bits of bytes in [from, to). */
const flip =
  (from: number, to: number, count: number, seed: number): Mutation =>
  (path) => {
    const dice = randomNumbers(seed);
    const fd = openSync(path, "r+");
    for (let i = 0; i < count; i++) {
      const at = from + (dice() % (to - from));
      const byte = Buffer.alloc(1);
      readSync(fd, byte, 0, 1, at);
      byte[0]! ^= 1 << (dice() % 8);
      writeSync(fd, byte, 0, 1, at);
    }
    closeSync(fd);
  };

const fill =
  (value: number, from: number, to: number): Mutation =>
  (_path, agent) =>
    agent.put(from, Buffer.alloc(to - from, value));

describe("a segment with a hostile content is a slice or a reason", () => {
  test("when bits are flipped anywhere in the part that is in use", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer(), (count, seed) => {
        hostile((path, agent) => {
          flip(0, 2 * PAGE_BYTES, Math.ceil(count / 50), seed)(path, agent);
          flip(SHARDS_OFFSET, agent.layout.fileBytes, count, seed)(path, agent);
        });
      }),
      { numRuns: 30 },
    );
  });

  test("when bits are flipped behind the header: always a slice", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer(), (count, seed) => {
        const before = answers.get("slice") ?? 0;
        hostile((path, agent) =>
          flip(PAGE_BYTES, agent.layout.fileBytes, count, seed)(path, agent),
        );
        expect(answers.get("slice")).toBe(before + 3);
      }),
      { numRuns: 20 },
    );
  });

  test("when any field of the header has any value", () => {
    const field = fc.constantFrom(...HEADER.fields.filter(({ type }) => type !== "char"));
    const value = fc.oneof(
      fc.constantFrom(
        0n,
        1n,
        63n,
        64n,
        2n ** 24n,
        2n ** 31n,
        2n ** 32n - 1n,
        2n ** 53n,
        2n ** 64n - 1n,
      ),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(field, value), { minLength: 1, maxLength: 3 }), (changes) => {
        hostile((_path, agent) => {
          for (const [{ offset, type }, to] of changes)
            if (type === "u64") agent.putU64(offset, to);
            else agent.putU32(offset, Number(to & 0xffff_ffffn));
        });
      }),
      { numRuns: 80 },
    );
  });

  test("when the file is cut anywhere", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        hostile((path, agent) => truncateSync(path, Math.floor(share * agent.layout.fileBytes)));
      }),
      { numRuns: 20 },
    );
  });

  test("when a page, or all but the header, or all is filled with ones", () => {
    hostile((path, agent) => fill(0xff, 0, agent.layout.fileBytes)(path, agent));
    hostile((path, agent) => fill(0xff, HEADER.size, agent.layout.fileBytes)(path, agent));
    hostile((path, agent) => fill(0xff, agent.layout.lines, agent.layout.fileBytes)(path, agent));
    for (let page = 0; page < 12; page++)
      hostile(fill(0xff, page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
  });

  test("when it changes while it is read, or is cut", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 12 }), (seed, nth) => {
        const cleanUp: (() => void)[] = [];
        const path = join(
          temporaryDirectory((fn) => cleanUp.push(fn)),
          "0123abcd-4711-1234",
        );
        const agent = lively(path);
        const opened = openSegment(path);
        if (!opened.ok) throw new Error(opened.reason.kind);
        const owner = claimSegment(opened.value, { self: HOST, residentBytes: () => null });
        if (!owner.ok) throw new Error(owner.reason.kind);
        const readAt = opened.value.readAt.bind(opened.value);
        let reads = 0;
        opened.value.readAt = (into, length, position) => {
          if (++reads === nth) {
            if (seed % 3 === 0) truncateSync(path, agent.layout.lines);
            else flip(0, agent.layout.fileBytes, 300, seed)(path, agent);
          }
          return readAt(into, length, position);
        };
        for (let index = 0; index < 4; index++) {
          const slice = owner.value.takeSlice(index, () => {});
          note(slice.ok ? "slice" : slice.reason.kind);
          if (slice.ok) checkSlice(slice.value, agent.ceilings.maxAllocers);
        }
        owner.value.close();
        opened.value.close();
        agent.close();
        for (const fn of cleanUp) fn();
      }),
      { numRuns: 20 },
    );
  });

  test("and the tests above have met both", () => {
    expect(answers.get("slice")).toBeGreaterThan(60);
    expect(answers.get("badLayout")).toBeGreaterThan(10);
  });
});

describe("a header that claims terabytes", () => {
  test("is refused before memory is taken for it", () => {
    const cleanUp: (() => void)[] = [];
    const ceilings = { maxAllocers: 65_536, maxModules: 8, shardCount: 64 };
    const path = join(
      temporaryDirectory((fn) => cleanUp.push(fn)),
      "0123abcd-4711-1234",
    );
    const agent = new FakeAgent(path, {}, ceilings);
    for (let shard = 0; shard < 64; shard++) agent.thread();
    agent.putU32(header("allocersIssued"), 65_536);
    const opened = openSegment(path);
    if (!opened.ok) throw new Error(opened.reason.kind);
    const owner = claimSegment(opened.value, { self: HOST, residentBytes: () => null });
    if (!owner.ok) throw new Error(owner.reason.kind);
    const before = process.memoryUsage().arrayBuffers;
    expect(owner.value.takeSlice(0, () => {})).toEqual({
      ok: false,
      reason: { kind: "badLayout", field: "allocersIssued" },
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MOST_BYTES);
    owner.value.close();
    opened.value.close();
    agent.close();
    for (const fn of cleanUp) fn();
  });
});
