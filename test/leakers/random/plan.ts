/** What a random program does: a tree of functions, and activities that allocate somewhere in it. */
import { Prng } from "./prng.js";

/** How the call is written, and with it how the block is given back. */
export const CALL_FORMS = ["malloc", "calloc", "realloc", "new", "newArray", "newAligned"] as const;
export type CallForm = (typeof CALL_FORMS)[number];

interface ActivityBase {
  /** Number of the activity; also what makes its call site its own. */
  readonly id: number;
  readonly form: CallForm;
  /** Block n has `bytes + (n % variants) * stride` bytes. */
  readonly bytes: number;
  readonly variants: number;
  readonly stride: number;
  /** Runs per iteration: `times`, and that in one of `every` iterations only, by a timer or at random. */
  readonly times: number;
  readonly every: number;
  readonly byTimer: boolean;
  /** Child to take at each level, from the root; as long as the call path. */
  readonly route: readonly number[];
  /** Index of the function with the call site. */
  readonly functionIndex: number;
}

/** Allocates for ever; of `oneIn` blocks one is lost, the rest is freed at the end of its run. */
export interface Leak extends ActivityBase {
  readonly kind: "leak";
  readonly oneIn: number;
}
export interface Temporary extends ActivityBase {
  readonly kind: "temporary";
}
/** Freed `lifetime` iterations later, give or take a third. */
export interface Session extends ActivityBase {
  readonly kind: "session";
  readonly lifetime: number;
}
/** One block for each of `capacity` keys, at its first use. */
export interface Cache extends ActivityBase {
  readonly kind: "cache";
  readonly capacity: number;
}
/** Grows to as many blocks as were ever needed at the same time. */
export interface Pool extends ActivityBase {
  readonly kind: "pool";
  readonly capacity: number;
}
/** Collected, and freed together every `period` iterations. */
export interface Batch extends ActivityBase {
  readonly kind: "batch";
  readonly period: number;
}
export type Activity = Leak | Temporary | Session | Cache | Pool | Batch;
export type Kind = Activity["kind"];

export interface FunctionPlan {
  /** Enclosing namespace or class, "" for none. */
  readonly scope: string;
  readonly inClass: boolean;
  readonly name: string;
  readonly children: number[];
  /** Which healthy container traffic its body has. */
  readonly traffic: number;
}

export interface Plan {
  readonly seed: number;
  /** Index 0 is the root. */
  readonly functions: readonly FunctionPlan[];
  readonly activities: readonly Activity[];
}

/** Iterations that a test does between two slices. */
export const ITERATIONS_PER_SLICE = 20;

const MIN_DEPTH = 3;
const MAX_DEPTH = 12;
const VERBS =
  "Parse Load Merge Route Resolve Build Decode Encode Copy Append Fetch Render Validate Dispatch Collect Open Sort Match Expand Store";
const NOUNS =
  "Header Request Session Token Frame Packet Record Index Schema Query Table Chunk Image Config Event Label Field Page Order Path";
const SCOPES = [
  ["", false],
  ["net", false],
  ["store", false],
  ["Codec", true],
  ["Router", true],
  ["Catalog", true],
] as const;

class Planner {
  readonly #prng: Prng;
  readonly #functions: FunctionPlan[] = [];
  readonly #activities: Activity[] = [];
  readonly #names = new Set<string>();

  constructor(prng: Prng) {
    this.#prng = prng;
    this.#addFunction();
  }

  plan(seed: number): Plan {
    const prng = this.#prng;
    const repeat = (times: number, make: () => void): void => {
      for (let i = 0; i < times; i++) make();
    };
    repeat(prng.between(2, 4), () => this.#add({ kind: "temporary" }, prng.between(2, 20)));
    repeat(prng.between(1, 2), () => this.#addCache());
    repeat(prng.between(1, 2), () =>
      this.#add({ kind: "pool", capacity: prng.between(4, 24) }, prng.between(4, 10)),
    );
    repeat(prng.between(1, 2), () => this.#addSession());
    repeat(prng.between(0, 2), () =>
      this.#add({ kind: "batch", period: prng.between(15, 6 * ITERATIONS_PER_SLICE) }, 2),
    );
    repeat(prng.between(0, 3), () => this.#addLeak());
    return { seed, functions: this.#functions, activities: this.#activities };
  }

  /** Three quarters of the keys are in use after a tenth of the 40 slices that a test takes. */
  #addCache(): void {
    const capacity = this.#prng.between(20, 300);
    const lookups = Math.ceil((capacity * 1.4) / (4 * ITERATIONS_PER_SLICE));
    this.#add({ kind: "cache", capacity }, lookups);
  }

  #addSession(): void {
    const lifetime = this.#prng.logBetween(3, 5 * ITERATIONS_PER_SLICE);
    this.#add({ kind: "session", lifetime }, this.#prng.between(1, 6));
  }

  /**
   * From one block per slice to dozens; some in heavy use, of which few blocks are lost. The slowest come by
   * a timer: 40 blocks at random times are as likely those of a cache that fills, for whoever counts.
   */
  #addLeak(): void {
    const prng = this.#prng;
    const oneIn = prng.chance(0.3) ? prng.between(2, 30) : 1;
    const lostPerSlice = prng.logBetween(1, 60);
    const runs = lostPerSlice * oneIn;
    const every = Math.max(1, Math.round(ITERATIONS_PER_SLICE / runs));
    const times = Math.max(1, Math.round(runs / ITERATIONS_PER_SLICE));
    this.#add({ kind: "leak", oneIn }, times, { every, byTimer: runs < 4 });
  }

  #add(what: Distinct<Activity>, times: number, pace = { every: 1, byTimer: false }): void {
    const prng = this.#prng;
    const base: ActivityBase = {
      id: this.#activities.length,
      form: prng.pick(CALL_FORMS),
      bytes: prng.logBetween(8, 2000),
      variants: prng.between(1, 4),
      stride: prng.between(1, 6) * 8,
      times,
      ...pace,
      ...this.#findPath(prng.between(MIN_DEPTH, MAX_DEPTH)),
    };
    this.#activities.push({ ...base, ...what });
  }

  /** A way down the tree that shares most of its functions with the others', sometimes all of them. */
  #findPath(depth: number): Pick<ActivityBase, "route" | "functionIndex"> {
    if (this.#activities.length > 0 && this.#prng.chance(0.3)) {
      const { route, functionIndex } = this.#prng.pick(this.#activities);
      return { route, functionIndex };
    }
    const route: number[] = [];
    let at = 0;
    while (route.length < depth - 1) {
      const children = this.#functions[at]!.children;
      if (children.length === 0 || (children.length < 4 && this.#prng.chance(0.35))) {
        children.push(this.#addFunction());
        route.push(children.length - 1);
      } else {
        route.push(this.#prng.between(0, children.length - 1));
      }
      at = children[route.at(-1)!]!;
    }
    return { route, functionIndex: at };
  }

  #addFunction(): number {
    let name: string;
    do {
      name = this.#prng.pick(VERBS.split(" ")) + this.#prng.pick(NOUNS.split(" "));
    } while (this.#names.has(name));
    this.#names.add(name);
    const [scope, inClass] = this.#prng.pick(SCOPES);
    const traffic = this.#prng.between(0, 3);
    return this.#functions.push({ scope, inClass, name, children: [], traffic }) - 1;
  }
}

/** The part of an activity that its base doesn't hold. */
type Distinct<T> = T extends ActivityBase ? Omit<T, keyof ActivityBase> : never;

/** The program of a seed; the same for the same seed, always. */
export const makePlan = (seed: number): Plan => new Planner(new Prng(seed)).plan(seed);
