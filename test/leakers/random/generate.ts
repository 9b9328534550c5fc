/** Random leakers: from a seed to the source of a program and the truth about it. */
import { emitSource, qualifiedName } from "./emit.js";
import { type Kind, type Leak, makePlan } from "./plan.js";

/** One call site of the program. */
export interface Truth {
  readonly kind: Kind;
  /** With its scope, without parameters: "Codec::ParseHeader". */
  readonly function: string;
  readonly line: number;
  /** Functions from the root to the one that allocates. */
  readonly depth: number;
  /** For a leak: bytes lost per iteration, on average. */
  readonly lostBytes: number;
}

export interface RandomProgram {
  readonly seed: number;
  readonly source: string;
  readonly truth: readonly Truth[];
}

/** Every `oneIn`-th block is lost; its size depends on its number. */
function lostBytes(leak: Leak): number {
  let bytes = 0;
  for (let i = 0; i < leak.variants; i++) {
    bytes += leak.bytes + ((i * leak.oneIn) % leak.variants) * leak.stride;
  }
  return (bytes / leak.variants) * (leak.times / leak.every / leak.oneIn);
}

/** A pure function of the seed. */
export function generate(seed: number): RandomProgram {
  const plan = makePlan(seed);
  const { text, lineOf } = emitSource(plan);
  const truth = plan.activities.map((a): Truth => {
    return {
      kind: a.kind,
      function: qualifiedName(plan.functions[a.functionIndex]!),
      line: lineOf[a.id]!,
      depth: a.route.length + 1,
      lostBytes: a.kind === "leak" ? lostBytes(a) : 0,
    };
  });
  return { seed, source: text, truth };
}
