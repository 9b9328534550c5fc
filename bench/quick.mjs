// `npm run bench:quick`: CPU and memory of the agent over bare, beside heaptrack, interleaved in one run; exact totals asserted.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allocationsOf } from "./allocations.mjs";
import { realPrograms } from "./programs.mjs";
import { geometricMean, median, span, table } from "./statistics.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "build", "bench");
const agent = join(root, "build", "libedleak.so");
const rounds = Number(process.env.EDLEAK_BENCH_ROUNDS ?? 5);
const scratch = mkdtempSync(join(tmpdir(), "edleak-bench-"));
const segments = join("/dev/shm", `edleak-bench-${process.pid}`);
const MICRO = { one: 6e6, lifo: 6e6, lifo2: 6e6, sites: 4e6, churn: 1e6 };

const base = { PATH: process.env.PATH, HOME: scratch, LANG: "C.UTF-8" };
const preloaded = { ...base, LD_PRELOAD: agent, EDLEAK_DIR: segments, EDLEAK_RUN: "bench" };
const hasHeaptrack = spawnSync("heaptrack", ["--version"]).status === 0;

function build() {
  mkdirSync(built, { recursive: true });
  const at = (name) => join(root, "bench", "src", name);
  const cc = (...args) => execFileSync("cc", ["-O2", ...args]);
  cc("-o", join(built, "measure"), at("measure.c"));
  cc("-o", join(built, "micro"), at("micro.c"), "-lpthread");
  cc("-shared", "-fPIC", "-o", join(built, "count.so"), at("count.c"), "-ldl");
  execFileSync("c++", ["-O2", "-o", join(built, "containers"), at("containers.cc")]);
}

/** Runs argv under the measuring program; environment as given. */
function measure(argv, env) {
  const out = spawnSync(join(built, "measure"), argv, { env, encoding: "utf8" });
  const result = JSON.parse(out.stdout);
  if (result.status !== 0) throw new Error(`${argv.join(" ")} ended with status ${result.status}`);
  return result;
}

function emptySegments() {
  rmSync(segments, { recursive: true, force: true });
  mkdirSync(segments, { mode: 0o700 });
}

/**
 * Allocations counted independently, and by the agent, over all processes of the run. Both runs have the same
 * environment variables: programs copy them.
 */
function totals(program) {
  const prefix = join(scratch, "count");
  const env = { ...preloaded, ...program.env, EDLEAK_BENCH_COUNT: prefix };
  measure(program.argv, { ...env, LD_PRELOAD: join(built, "count.so") });
  let expected = 0;
  for (const name of readdirSync(scratch).filter((n) => n.startsWith("count."))) {
    expected += Number(readFileSync(join(scratch, name)).readBigUInt64LE(0));
    rmSync(join(scratch, name));
  }
  emptySegments();
  measure(program.argv, env);
  return { expected, counted: allocationsOf(segments) };
}

function assertTotals({ name, spread }, { expected, counted }) {
  const off = Math.abs(counted - expected);
  if (expected < 1000 || off > expected * spread)
    throw new Error(`${name}: the agent counted ${counted} allocations, ${expected} were made`);
}

function programRow(program) {
  const counts = totals(program);
  assertTotals(program, counts);
  const bare = [];
  const ours = [];
  const theirs = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(measure(program.argv, { ...base, ...program.env }));
    emptySegments();
    ours.push(measure(program.argv, { ...preloaded, ...program.env }));
    if (hasHeaptrack)
      theirs.push(
        measure(["heaptrack", "--raw", "-o", join(scratch, "heaptrack"), ...program.argv], {
          ...base,
          ...program.env,
        }),
      );
  }
  const ratio = (runs, of) => runs.map((run, i) => of(run) / of(bare[i]));
  return {
    name: program.name,
    allocations: counts.counted,
    bareCpu: median(bare.map((run) => run.cpu)),
    cpu: ratio(ours, (run) => run.cpu),
    rss: median(ratio(ours, (run) => run.rssKb)),
    heaptrackCpu: theirs.length > 0 ? median(ratio(theirs, (run) => run.cpu)) : null,
    heaptrackRss: theirs.length > 0 ? median(ratio(theirs, (run) => run.rssKb)) : null,
  };
}

function microRow(scenario, pairs) {
  const run = (env) =>
    Number(
      execFileSync(join(built, "micro"), [scenario, String(pairs)], { env, encoding: "utf8" }),
    );
  emptySegments();
  run(preloaded);
  const counted = allocationsOf(segments);
  if (counted < pairs || counted > pairs + 1000)
    throw new Error(`${scenario}: the agent counted ${counted} allocations of ${pairs}`);
  const bare = [];
  const added = [];
  for (let round = 0; round < rounds; round++) {
    const b = run(base);
    emptySegments();
    bare.push(b);
    added.push(run(preloaded) - b);
  }
  return { scenario, bare: median(bare), added };
}

/** Instructions per pair: the difference of two run lengths under callgrind. */
function instructions(env) {
  const collected = (pairs) => {
    const out = spawnSync(
      "valgrind",
      [
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        join(built, "micro"),
        "one",
        String(pairs),
      ],
      { env, encoding: "utf8" },
    );
    const match = /Collected : (\d+)/.exec(out.stderr);
    if (!match) throw new Error(`callgrind did not run: ${out.stderr.slice(0, 300)}`);
    return Number(match[1]);
  };
  return (collected(40_000) - collected(20_000)) / 20_000;
}

/** Seconds of wall time and CPU that `edleak run -- true` adds. */
function startUp() {
  const edleak = join(root, "bin", "edleak");
  const walls = { bare: [], run: [], agent: [] };
  for (let round = 0; round < Math.max(rounds, 5); round++) {
    walls.bare.push(measure(["true"], base).wall);
    emptySegments();
    walls.agent.push(measure(["true"], preloaded).wall);
    walls.run.push(
      measure([edleak, "run", "--quiet", "--", "true"], { ...base, EDLEAK_DIR: segments }).wall,
    );
  }
  return {
    agent: median(walls.agent) - median(walls.bare),
    run: median(walls.run) - median(walls.bare),
  };
}

const lines = [];
const print = (text) => {
  lines.push(text);
  console.log(text);
};

try {
  build();
  emptySegments();
  const programs = realPrograms(scratch, built).map(programRow);
  print(`# Quick benchmark, ${rounds} interleaved rounds: ratios to bare, median [min-max]\n`);
  print(
    table(
      ["program", "allocations", "bare CPU s", "CPU", "RSS", "heaptrack CPU", "heaptrack RSS"],
      programs.map((p) => [
        p.name,
        String(p.allocations),
        p.bareCpu.toFixed(2),
        span(p.cpu),
        p.rss.toFixed(2),
        p.heaptrackCpu?.toFixed(2) ?? "-",
        p.heaptrackRss?.toFixed(2) ?? "-",
      ]),
    ),
  );
  const cpu = geometricMean(programs.map((p) => median(p.cpu)));
  const rss = geometricMean(programs.map((p) => p.rss));
  print(`\ngeometric mean: CPU ${cpu.toFixed(3)}, RSS ${rss.toFixed(3)}\n`);
  const micro = Object.entries(MICRO).map(([scenario, pairs]) => microRow(scenario, pairs));
  print(
    table(
      ["micro-benchmark", "bare ns/pair", "added ns/pair"],
      micro.map((m) => [m.scenario, m.bare.toFixed(1), span(m.added)]),
    ),
  );
  if (spawnSync("valgrind", ["--version"]).status === 0) {
    const bare = instructions(base);
    print(
      `\ninstructions per pair: bare ${bare.toFixed(0)}, agent adds ${(instructions(preloaded) - bare).toFixed(0)}`,
    );
  } else print("\ninstructions per pair: not measured, valgrind is not installed");
  const start = startUp();
  print(
    `start-up: the agent adds ${(start.agent * 1e3).toFixed(2)} ms, edleak run -- true adds ${(start.run * 1e3).toFixed(0)} ms`,
  );
  print(
    `\nAllocations are the agent's own count in one of these runs; they were compared with an independent count.`,
  );
  writeFileSync(join(root, "bench", "results", "quick.md"), `${lines.join("\n")}\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
  rmSync(segments, { recursive: true, force: true });
}
