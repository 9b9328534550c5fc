/** Writes a plan as a C++ program and notes on which lines its call sites are. */
import { HEAD } from "./head.js";
import type { Activity, CallForm, FunctionPlan, Plan } from "./plan.js";

export interface Source {
  readonly text: string;
  /** Line of the allocating call, by the activity's number; lines count from 1. */
  readonly lineOf: readonly number[];
}

/** Name with its scope, as a demangler shows it: "Codec::ParseHeader". */
export const qualifiedName = (f: FunctionPlan): string =>
  f.scope === "" ? f.name : `${f.scope}::${f.name}`;

const CALLS: Readonly<Record<CallForm, (size: string) => string>> = {
  malloc: (size) => `std::malloc(${size})`,
  calloc: (size) => `std::calloc(1, ${size})`,
  realloc: (size) => `std::realloc(nullptr, ${size})`,
  new: (size) => `::operator new(${size})`,
  newArray: (size) => `new char[${size}]`,
  newAligned: (size) => `::operator new(${size}, std::align_val_t(64))`,
};
const RELEASE_CODES: Readonly<Record<CallForm, number>> = {
  malloc: 0,
  calloc: 0,
  realloc: 0,
  new: 1,
  newArray: 2,
  newAligned: 3,
};

/** Healthy use of containers, by a function's number for it. */
const TRAFFIC = ["job.sum += job.number;", "UseString(job);", "UseVector(job);", "UseMap(job);"];

class Emitter {
  readonly #plan: Plan;
  readonly #lines: string[] = [];
  readonly #lineOf: number[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  emit(): Source {
    this.#push(HEAD.replace("SEED", String(this.#plan.seed + 1)));
    for (const a of this.#plan.activities) this.#emitState(a);
    this.#emitDeclarations();
    this.#plan.functions.forEach((f, index) => {
      this.#emitFunction(f, index);
    });
    this.#emitIteration();
    this.#emitMain();
    return { text: `${this.#lines.join("\n")}\n`, lineOf: this.#lineOf };
  }

  #push(...texts: readonly string[]): void {
    for (const text of texts) this.#lines.push(...text.split("\n"));
  }

  #emitState(a: Activity): void {
    this.#push(
      `static const unsigned char route${a.id}[] = {${[...a.route, 0].join(", ")}};`,
      `static unsigned long number${a.id};`,
    );
    if (a.kind === "cache") this.#push(`static void *cache${a.id}[${a.capacity}];`);
    if (a.kind === "pool") this.#push(`static unsigned poolSize${a.id};`);
    if (a.kind === "session") this.#push(`static std::deque<Held> sessions${a.id};`);
    if (a.kind === "batch") this.#push(`static std::vector<Held> batch${a.id};`);
  }

  #emitDeclarations(): void {
    for (const scope of new Set(this.#plan.functions.map((f) => f.scope))) {
      const functions = this.#plan.functions.filter((f) => f.scope === scope);
      const first = functions[0]!;
      if (scope !== "") this.#push(`${first.inClass ? "struct" : "namespace"} ${scope} {`);
      for (const f of functions) {
        this.#push(`  ${f.inClass ? "static " : ""}NOINLINE void ${f.name}(Job &job);`);
      }
      if (scope !== "") this.#push(first.inClass ? "};" : "}");
    }
  }

  #emitFunction(f: FunctionPlan, index: number): void {
    this.#push("", `void ${qualifiedName(f)}(Job &job) {`, `  ${TRAFFIC[f.traffic]}`);
    for (const a of this.#plan.activities) if (a.functionIndex === index) this.#emitActivity(a);
    this.#push("  switch (job.route[job.level++]) {");
    f.children.forEach((child, i) => {
      this.#push(`    case ${i}: ${qualifiedName(this.#plan.functions[child]!)}(job); break;`);
    });
    this.#push("  }", `  job.sum = job.sum * 31 + ${index};`, "}");
  }

  #emitActivity(a: Activity): void {
    const size = `${a.bytes} + job.number % ${a.variants} * ${a.stride}`;
    const held = `p, ${RELEASE_CODES[a.form]}`;
    this.#push(`  if (job.activity == ${a.id}) {`, `    job.number = number${a.id}++;`);
    if (a.kind === "cache") {
      this.#push(
        `    void *&kept = cache${a.id}[Below(${a.capacity})];`,
        "    if (kept != nullptr) return;",
      );
    }
    if (a.kind === "pool") this.#push(`    if (Below(${a.capacity}) < poolSize${a.id}) return;`);
    this.#push(`    void *p = ${CALLS[a.form](size)};`);
    this.#lineOf[a.id] = this.#lines.length;
    this.#push(`    KEEP(p, ${a.id});`, "    static_cast<char *>(p)[0] = 1;");
    switch (a.kind) {
      case "leak":
        if (a.oneIn > 1)
          this.#push(`    if (job.number % ${a.oneIn} != 0) Keep(*job.done, ${held});`);
        break;
      case "temporary":
        this.#push(`    Keep(*job.done, ${held});`);
        break;
      case "session":
        this.#push(
          `    KeepUntil(sessions${a.id}, ${held}, tick + ${a.lifetime} + Below(${Math.ceil(a.lifetime / 3)}));`,
        );
        break;
      case "batch":
        this.#push(`    Keep(batch${a.id}, ${held});`);
        break;
      case "cache":
        this.#push("    kept = p;");
        break;
      case "pool":
        this.#push(`    poolSize${a.id}++;`);
        break;
    }
    this.#push("    return;", "  }");
  }

  #emitIteration(): void {
    const root = qualifiedName(this.#plan.functions[0]!);
    this.#push(
      "",
      "static unsigned long sum;",
      "static NOINLINE void Run(int activity, unsigned times, const unsigned char *route) {",
      "  std::vector<Held> done;",
      "  for (unsigned i = 0; i < times; i++) {",
      "    Job job = {activity, tick, route, 0, i, &done};",
      `    ${root}(job);`,
      "    sum += job.sum;",
      "  }",
      "  ReleaseAll(done);",
      "}",
      "static void Iterate() {",
      "  tick++;",
    );
    for (const a of this.#plan.activities) {
      const now = a.byTimer ? `tick % ${a.every} == 0` : `Below(${a.every}) == 0`;
      const when = a.every > 1 ? `if (${now}) ` : "";
      this.#push(`  ${when}Run(${a.id}, ${a.times}, route${a.id});`);
      if (a.kind === "session") this.#push(`  ReleaseDue(sessions${a.id});`);
      if (a.kind === "batch")
        this.#push(`  if (tick % ${a.period} == 0) ReleaseAll(batch${a.id});`);
    }
    this.#push("}");
  }

  /** The step protocol: "N" does N iterations and answers "ok N". */
  #emitMain(): void {
    this.#push(
      "",
      "int main() {",
      "  char line[32];",
      "  while (std::fgets(line, sizeof line, stdin) != nullptr) {",
      "    const int steps = std::atoi(line);",
      "    for (int i = 0; i < steps; i++) Iterate();",
      '    std::printf("ok %d\\n", steps);',
      "    std::fflush(stdout);",
      "  }",
      "  return sum == 1;",
      "}",
    );
  }
}

export const emitSource = (plan: Plan): Source => new Emitter(plan).emit();
