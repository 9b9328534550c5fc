/** The real agent, read by the real reader: what the slices add up to is what the target did, exactly. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { randomNumbers } from "../../src/base/testing/random-numbers.js";
import { generationShift, type Slice } from "../../src/contract/slice.js";
import { judge } from "../../src/growth/index.js";
import { Pipeline } from "../../src/pipeline/index.js";
import { HeapModel } from "../../src/pipeline/testing/heap-model.js";
import {
  claimSegment,
  findSegments,
  openSegment,
  type SegmentOwner,
} from "../../src/segment/index.js";
import { loadableAgent } from "../../src/session/loadable-agent.js";

const AGENT = loadableAgent(fileURLToPath(new URL("../../build/libedleak.so", import.meta.url)));
const SOURCE = fileURLToPath(new URL("stepper.c", import.meta.url));
const RUN = "run-of-this-test";
const THREADS = 3;
/** Beyond the first merge of groups, which is at slice 63. */
const SLICES = 140;

/** A target that carries out one order after the other. */
class Stepper {
  readonly #child;
  readonly #answers;
  readonly #ended;

  constructor(directory: string) {
    const program = join(directory, "stepper");
    execFileSync("cc", ["-O1", "-pthread", "-o", program, SOURCE]);
    this.#child = spawn(program, [], {
      env: { LD_PRELOAD: AGENT, EDLEAK_DIR: directory, EDLEAK_RUN: RUN },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    this.#ended = new Promise<number | null>((resolve) => this.#child.on("exit", resolve));
  }

  async answer(): Promise<void> {
    const { value } = await this.#answers.next();
    if (value !== "ok") throw new Error(`the target answered ${value}`);
  }

  async order(line: string): Promise<void> {
    this.#child.stdin.write(`${line}\n`);
    await this.answer();
  }

  end(): Promise<number | null> {
    this.#child.stdin.end();
    return this.#ended;
  }
}

interface Scene {
  readonly stepper: Stepper;
  readonly owner: SegmentOwner;
  readonly pipeline: Pipeline;
}

async function scene(): Promise<Scene> {
  // In shared memory, where the agent's files belong; mode 0700.
  const directory = mkdtempSync("/dev/shm/edleak-test-");
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const stepper = new Stepper(directory);
  onTestFinished(async () => {
    await stepper.end();
  });
  await stepper.answer();
  const found = findSegments(directory, RUN);
  if (!found.ok || found.value.length !== 1) throw new Error("the target has no segment");
  const segment = openSegment(found.value[0]!.path);
  if (!segment.ok) throw new Error(segment.reason.kind);
  const owner = claimSegment(segment.value);
  if (!owner.ok) throw new Error(owner.reason.kind);
  onTestFinished(() => {
    owner.value.close();
    segment.value.close();
  });
  return { stepper, owner: owner.value, pipeline: new Pipeline(judge) };
}

/** Takes a slice of the target, and of the model. */
function take({ owner, pipeline }: Scene): Slice {
  const slice = owner.takeSlice(owner.slices, (taken) => pipeline.push(taken));
  if (!slice.ok) throw new Error(slice.reason.kind);
  return slice.value;
}

/** Ids of the allocers in the target's own code, in the order of their first use. */
function ownAllocers({ owner, pipeline }: Scene): number[] {
  const exe = [...pipeline.modules.values()].find(({ path }) => path === owner.segment.header.exe);
  return pipeline
    .results()
    .filter(({ info }) => exe !== undefined && info.moduleIndex === exe.index)
    .map(({ id }) => id)
    .sort((a, b) => a - b);
}

describe("slices of a real target", () => {
  test("are what it did: totals, births by generation, old frees, ages", async () => {
    const it = await scene();
    const { stepper, owner, pipeline } = it;
    const model = new HeapModel();
    const slotOf = new Map<object, number>();
    const dice = randomNumbers(20_240_501);
    let slots = 0;
    const places = ["a", "b", "r"];
    const allocate = async (place: number, bytes: number) => {
      const block = model.alloc(place, bytes);
      slotOf.set(block, slots);
      await stepper.order(`${dice() % THREADS} ${places[place]} ${slots++} ${bytes}`);
    };
    // Of each place one, so that their ids are in this order; realloc of nothing is an allocation.
    for (const place of [0, 1, 2]) await allocate(place, 10);
    for (let slice = 0; slice < SLICES; slice++) {
      for (let events = dice() % 8; events > 0; events--) {
        const alive = model.alive();
        const block = alive[dice() % alive.length];
        const bytes = dice() % 50 === 0 ? 70_000 + (dice() % 9000) : 1 + (dice() % 3000);
        const what = dice() % 5;
        if (block && what === 0) {
          model.free(block);
          await stepper.order(`${dice() % THREADS} f ${slotOf.get(block)}`);
        } else if (block && what === 1) {
          model.free(block);
          const moved = model.alloc(2, bytes);
          slotOf.set(moved, slotOf.get(block)!);
          await stepper.order(`${dice() % THREADS} r ${slotOf.get(block)} ${bytes}`);
        } else {
          await allocate(dice() % 2, bytes);
        }
      }
      take(it);
      model.take();
    }
    const ids = ownAllocers(it);
    expect(ids.length).toBe(places.length);
    const last = SLICES - 1;
    const shift = generationShift(last);
    const generations = (last >>> shift) + 1;
    expect(shift).toBe(2);
    ids.forEach((id, place) => {
      const truth = model.totals(place, last);
      const seen = pipeline.results().find((result) => result.id === id)!;
      expect([seen.totalAllocs, seen.totalFrees, seen.liveBlocks, seen.liveBytes]).toEqual([
        ...[truth.allocs, truth.frees, truth.blocks, truth.bytes],
      ]);
      const evidence = pipeline.seriesOf(id)!.evidence!;
      const rows = model.generations(place, shift, generations);
      expect(Array.from(evidence.allocCount)).toEqual(rows.map(({ born }) => born));
      expect(Array.from(evidence.liveCount)).toEqual(rows.map(({ alive }) => alive));
      expect(Array.from(evidence.liveBytes)).toEqual(rows.map(({ bytes }) => bytes));
      expect(Array.from(evidence.ageFrees)).toEqual(model.ages(place, evidence.ageFrees.length));
      const series = Array.from({ length: SLICES }, (_, slice) => model.totals(place, slice));
      expect(Array.from(pipeline.seriesOf(id)!.bytes)).toEqual(series.map(({ bytes }) => bytes));
    });
    expect(model.blocks.length).toBeGreaterThan(200);
    expect([owner.reader.damaged, owner.reader.approximate, owner.stalled]).toEqual([0, 0, 0]);
    expect(pipeline.coverage().lostEvents).toBe(0);
  });

  test("can still be taken after it has ended, and name its modules", async () => {
    const it = await scene();
    await it.stepper.order("1 a 0 100");
    take(it);
    await it.stepper.order("2 b 1 50");
    expect(await it.stepper.end()).toBe(0);
    take(it);
    expect(it.owner.reader.ended).toBe(true);
    expect(ownAllocers(it).length).toBe(2);
    const paths = [...it.pipeline.modules.values()].map(({ path }) => path);
    expect(paths.some((path) => path.includes("libc.so"))).toBe(true);
  });
});
