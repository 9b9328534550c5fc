// The gate, `npm test`: every check and every test, one line each stage, a count at the end.
//
//   npm test                     all stages
//   npm test -- --only unit,e2e  some of them
//   npm test -- growth           the TypeScript tests whose path contains "growth"
//
// All stages run even when one fails, because a wrong indent shouldn't hide a broken test: one run tells
// everything there is to mend. A test whose program isn't on the machine is skipped, by name; with
// EDLEAK_NO_SKIP=1, as in .ci/run, a skip is a failure.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installed, root, run, scratchFolder, secondsSince } from "./process.mjs";
import { emptyTally, sum, tallyLines, tallyVitest } from "./tally.mjs";

const script = (name) => join(root, "tools", name);

/** A stage that is one check: all its commands must end well. */
function check(...commands) {
  return () => {
    for (const [command, ...args] of commands) {
      const result = run(command, args);
      if (!result.ok) return { ...emptyTally(), failed: [result.why], output: result.output };
    }
    return { ...emptyTally(), passed: 1, output: "" };
  };
}

/** A stage of C tests: what the programs print counts, and make's exit status. */
function agentTests() {
  const { ok, why, output } = run("make", ["--silent", "--keep-going", "-C", "agent", "test"]);
  return withEnd(tallyLines(output), ok, why, output);
}

/** A stage of TypeScript tests: one of the projects of vitest.config.ts. */
function vitest(project) {
  return (filters) => {
    const report = join(scratchFolder(), `${project}.json`);
    rmSync(report, { force: true });
    const { ok, why, output } = run(installed("vitest"), [
      "run",
      `--project=${project}`,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      "--allowOnly=false",
      "--no-color",
      `--passWithNoTests=${filters.length > 0}`,
      ...filters,
    ]);
    const tally = existsSync(report)
      ? tallyVitest(JSON.parse(readFileSync(report, "utf8")), root)
      : emptyTally();
    if (filters.length > 0 && ok) return { ...tally, output };
    return withEnd(tally, ok, why, output);
  };
}

/** A runner that failed without naming a test, or ran none, has failed itself. */
function withEnd(tally, ok, why, output) {
  const failed = [...tally.failed];
  if (!ok && failed.length === 0) failed.push(why);
  if (ok && tally.passed === 0) failed.push("ran no test");
  return { ...tally, failed, output };
}

const STAGES = {
  style: check([installed("biome"), "check", "--error-on-warnings", "."]),
  types: check([installed("tsc"), "-b"], [installed("tsc"), "-p", "tsconfig.test.json"]),
  layers: check([process.execPath, script("layers.mjs")]),
  generated: check([process.execPath, script("gen.mjs"), "--check"]),
  budgets: check([process.execPath, script("budgets.mjs")]),
  agent: agentTests,
  unit: vitest("unit"),
  e2e: vitest("e2e"),
};
const FILTERED = ["unit", "e2e"];

/** Runs a stage and prints its line, and below it what a person needs who must mend it. */
function runStage(name, filters, noSkip) {
  process.stdout.write(`test  ${name.padEnd(11)}`);
  const start = Date.now();
  const { output, ...tally } = STAGES[name](filters);
  if (noSkip) {
    tally.failed.push(...tally.skipped.map((skipped) => `${skipped} (skipped)`));
    tally.skipped = [];
  }
  const { passed, failed, skipped } = tally;
  const verdict = failed.length > 0 ? "FAILED" : "ok";
  console.log(`${secondsSince(start).padStart(8)}  ${verdict.padEnd(6)} ${counts(tally)}`);
  if (failed.length > 0) console.log(indent(output.trim()));
  return { passed, failed: failed.map(named(name)), skipped: skipped.map(named(name)) };
}

const named = (stage) => (test) => `${stage}: ${test}`;
const indent = (text) => text.replace(/^/gm, "    ");
const counts = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;

/** @returns {{ stages: string[], filters: string[] }} */
function choose(args) {
  const filters = [];
  let stages = Object.keys(STAGES);
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--only") stages = (args[++i] ?? "").split(",");
    else filters.push(args[i]);
  }
  if (filters.length > 0) stages = stages.filter((name) => FILTERED.includes(name));
  return { stages, filters };
}

function main() {
  const { stages, filters } = choose(process.argv.slice(2));
  const unknown = stages.find((name) => !Object.hasOwn(STAGES, name));
  if (unknown !== undefined) {
    console.error(`No stage "${unknown}": there are ${Object.keys(STAGES).join(", ")}`);
    return 2;
  }
  const start = Date.now();
  const noSkip = process.env.EDLEAK_NO_SKIP === "1";
  const total = sum(stages.map((name) => runStage(name, filters, noSkip)));
  if (total.passed + total.failed.length === 0) total.failed.push("ran no test");
  console.log(`test  ${"all".padEnd(11)}${secondsSince(start).padStart(8)}`);
  for (const name of total.skipped) console.log(`skipped  ${name}`);
  for (const name of total.failed) console.log(`FAILED   ${name}`);
  console.log(counts(total));
  return total.failed.length > 0 ? 1 : 0;
}

process.exitCode = main();
