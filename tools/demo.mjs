// `npm run demo`: watches the bundled leaker for twenty seconds, shows what edleak says of it, and what to type next.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { JOBS, root, run, secondsSince } from "./process.mjs";

const SECONDS = 20;
const LEAKER = "build/examples/leaker";

/** What to do after the demo; every line can be typed where the demo was. */
const NEXT = `
That was examples/leaker, compiled as any program is and linked to nothing of ours; the first lines
of examples/leaker/leaker.cc say what it really leaks. Next:

  bin/edleak run -- ./your-program --its-options    watch a program of yours; Ctrl-C shows the report
  bin/edleak run --json out.json -- ./your-program  the same for scripts
  bin/edleak doctor                                 what this machine has and lacks for good names
  bin/edleak --help                                 everything else; then README.md and docs/
`;

/** Builds the leaker; a reason in words when that fails. */
function build() {
  const start = Date.now();
  const { ok, why, output } = run("make", ["--silent", JOBS, "-C", "examples/leaker", "all"]);
  if (ok) {
    console.log(`demo   ${"leaker".padEnd(10)}${secondsSince(start).padStart(8)}`);
    return "";
  }
  if (run(process.env.CXX || "c++", ["--version"]).missing) {
    return "the bundled leaker is C++, and there is no c++; on Debian or Ubuntu: sudo apt-get install -y g++";
  }
  return `the bundled leaker did not build (${why}):\n${output.trim()}`;
}

function main() {
  const reason = build();
  if (reason) {
    console.error(`Cannot show the demo: ${reason}`);
    return 1;
  }
  const args = ["run", "--duration", String(SECONDS), "--", LEAKER];
  console.log(`demo   bin/edleak ${args.join(" ")}\n`);
  const { status } = spawnSync(join(root, "bin/edleak"), args, { cwd: root, stdio: "inherit" });
  if (status === 0) console.log(NEXT);
  return status ?? 1;
}

process.exitCode = main();
