// By hand, by the clock: the leak of Debian's jq 1.6 under `edleak run`, and ten runs that must be clean; a table.
//
//   node bench/acceptance-jq.mjs [SECONDS [CLEAN_RUNS]]     20 s each and 10 runs by default
//
// jq is fed 20 000 numbers per second. `ltrimstr("x")` on a number loses 76 bytes in two blocks, both made by
// jv_mem_alloc; `.` loses nothing. Exit status 1 when a rate is off by more than 10 % or a clean run is not.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { table } from "./statistics.mjs";

const EDLEAK = fileURLToPath(new URL("../bin/edleak", import.meta.url));
const LINES_PER_SECOND = 20_000;
const LOST_BYTES = 76;
const TOLERANCE = 0.1;

/** Writes numbers at the given pace; gives how many lines per second it really were. */
async function feed(stdin, seconds) {
  const start = performance.now();
  let lines = 0;
  for (;;) {
    const elapsed = (performance.now() - start) / 1000;
    const due = Math.floor(Math.min(elapsed, seconds) * LINES_PER_SECOND);
    let text = "";
    for (; lines < due; lines++) text += `${lines}\n`;
    if (text !== "" && !stdin.write(text)) await new Promise((done) => stdin.once("drain", done));
    if (elapsed >= seconds) return lines / ((performance.now() - start) / 1000);
    await pause(10);
  }
}

/** One run of jq under edleak; its report and the pace it was fed at. */
async function runJq(filter, seconds) {
  const folder = mkdtempSync(join(tmpdir(), "edleak-jq-"));
  try {
    const json = join(folder, "report.json");
    const options = ["run", "--quiet", "--json", json, "--", "jq", filter];
    const child = spawn(EDLEAK, options, { stdio: ["pipe", "ignore", "inherit"] });
    const ended = new Promise((done) => child.once("close", done));
    const pace = await feed(child.stdin, seconds);
    child.stdin.end();
    const status = await ended;
    if (status !== 0) throw new Error(`edleak run ended with status ${status}`);
    return { pace, process: JSON.parse(readFileSync(json, "utf8")).processes[0] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A row of the table, whose last cell is "ok" or what is wrong. */
function row(number, filter, { pace, process }) {
  const [top] = process.allocers;
  const truth = filter === "." ? 0 : pace * LOST_BYTES;
  const error = truth === 0 ? 0 : top.leakFactor.rate / truth - 1;
  const name = top?.stack[0]?.replace(/^0x[0-9a-f]+:/, "") ?? "-";
  const leak = process.verdict.state === "leaks" && name === "jv_mem_alloc";
  const good =
    truth === 0 ? process.verdict.state === "clean" : leak && Math.abs(error) <= TOLERANCE;
  return [
    String(number),
    `jq '${filter}'`,
    pace.toFixed(0),
    String(process.slices),
    process.verdict.state,
    truth === 0 ? "-" : `${name}, ${top.verdict.state}`,
    truth === 0 ? "-" : `${(top.leakFactor.rate / 1000).toFixed(0)} KB/s`,
    truth === 0 ? "-" : `${(error * 100).toFixed(1)} %`,
    good ? "ok" : "WRONG",
  ];
}

async function main() {
  const seconds = Number(process.argv[2] ?? 20);
  const cleanRuns = Number(process.argv[3] ?? 10);
  const filters = ['ltrimstr("x")', ...Array(cleanRuns).fill(".")];
  const rows = [];
  for (const [i, filter] of filters.entries()) {
    rows.push(row(i + 1, filter, await runJq(filter, seconds)));
    console.error(rows.at(-1).join("  "));
  }
  const head = ["run", "command", "lines/s", "slices", "verdict", "on top", "rate", "error", ""];
  console.log(table(head, rows));
  if (rows.some((cells) => cells.at(-1) !== "ok")) process.exitCode = 1;
}

await main();
