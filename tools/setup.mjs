// Brings a clone to the state in which everything runs: checks the tools, installs the packages, builds what changed.
// It runs before anything is installed, so it has no dependencies; and its syntax is old, so that an
// old Node refuses itself in words instead of with a syntax error.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installed, JOBS, root, run, secondsSince } from "./process.mjs";

const OLDEST_NODE = [20, 19];
const STAMP = join(root, "node_modules/.edleak-setup");

/** A step that can't be done: said in words, without a stack trace. */
class SetupError extends Error {}

function checkNode() {
  if (process.platform !== "linux") {
    throw new SetupError(`it watches Linux processes, and this is ${process.platform}`);
  }
  const [major, minor] = process.versions.node.split(".").map(Number);
  const recent = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (recent) return;
  throw new SetupError(
    `Node is ${process.versions.node} and must be ${OLDEST_NODE.join(".")} or newer: ` +
      "get it from https://nodejs.org or by a version manager (nvm install 22)",
  );
}

const [cc, ...ccOptions] = (process.env.CC || "cc").split(/\s+/);

/** What must be on the machine: how to ask for it, what to call it, which Debian packages bring it. */
const TOOLS = [
  { command: "npm", args: ["--version"], name: "npm", packages: ["npm"] },
  {
    command: cc,
    args: [...ccOptions, "-E", "-include", "stdlib.h", "-x", "c", "/dev/null"],
    name: `C compiler with the C library's headers (${cc})`,
    packages: ["gcc", "libc6-dev"],
  },
  { command: "make", args: ["--version"], name: "make", packages: ["make"] },
];

/** The script of the npm that is running us; another package manager's doesn't count. */
const runningNpm = /npm-cli\.c?js$/.test(process.env.npm_execpath || "")
  ? process.env.npm_execpath
  : undefined;

function checkTools() {
  checkNode();
  const wanted = TOOLS.filter((tool) => !(tool.name === "npm" && runningNpm));
  const lacking = wanted.filter((tool) => !run(tool.command, tool.args).ok);
  if (lacking.length === 0) return;
  const names = lacking.map((tool) => `no ${tool.name}`).join(" and ");
  const packages = lacking.flatMap((tool) => tool.packages).join(" ");
  throw new SetupError(
    `this machine has ${names}; on Debian or Ubuntu: sudo apt-get install -y ${packages}`,
  );
}

/** Changes whenever the installed packages would: the lock, and what the native ones are chosen by. */
function packagesWanted() {
  const hash = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
  return hash.update(`${process.platform} ${process.arch}`).digest("hex");
}

function installPackages() {
  const wanted = packagesWanted();
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) return;
  // No package that we use has an install script; the fetch options bound the wait for a dead network.
  const result = runNpm([
    "ci",
    "--include=dev",
    "--ignore-scripts",
    "--prefer-offline",
    "--loglevel=error",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=5000",
  ]);
  if (!result.ok) throw new SetupError(npmFailure(result));
  writeFileSync(STAMP, wanted);
}

function runNpm(args) {
  return runningNpm ? run(process.execPath, [runningNpm, ...args]) : run("npm", args);
}

const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|EHOSTUNREACH)\b/;

function npmFailure({ output, why }) {
  const code = UNREACHABLE.exec(output);
  if (!code) return `npm ci failed (${why}):\n${output.trim()}`;
  return (
    `npm cannot reach its registry, from which edleak takes its packages (${code[0]}): check the ` +
    "network, and the proxy and registry that `npm config list` shows"
  );
}

/** Make and tsc know themselves what has changed. */
function build(what, command, args) {
  const { ok, why, output } = run(command, args);
  if (!ok) throw new SetupError(`the ${what} did not build (${why}):\n${output.trim()}`);
}

const STEPS = [
  ["tools", checkTools],
  ["packages", installPackages],
  ["agent", () => build("agent", "make", ["--silent", JOBS, "-C", "agent", "all"])],
  ["host", () => build("host", installed("tsc"), ["-b"])],
];

try {
  for (const [name, step] of STEPS) {
    const start = Date.now();
    step();
    console.log(`setup  ${name.padEnd(10)}${secondsSince(start).padStart(8)}`);
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`Cannot set up edleak: ${error.message}`);
  process.exitCode = 1;
}
