/** What this machine has and lacks for edleak: one finding for each thing that can be wrong, with advice. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { formatBytes } from "../base/format.js";
import {
  checkSegmentDirectory,
  describeDirectoryRefusal,
  segmentDirectory,
  selfIdentity,
} from "../segment/index.js";
import { findLineTools, helperEnv, readElfFacts } from "../symbols/index.js";
import { AGENT_PATH, edleakVersion, LAUNCHER_PATH } from "./installation.js";
import { loadableAgent } from "./loadable-agent.js";

export interface Finding {
  readonly level: "ok" | "warning" | "problem";
  /** What was looked at, in a word or two. */
  readonly subject: string;
  readonly text: string;
  /** What to do; null when all is well. */
  readonly advice: string | null;
}

const ok = (subject: string, text: string): Finding => ({
  level: "ok",
  subject,
  text,
  advice: null,
});
const warning = (subject: string, text: string, advice: string): Finding => ({
  level: "warning",
  subject,
  text,
  advice,
});
const problem = (subject: string, text: string, advice: string): Finding => ({
  level: "problem",
  subject,
  text,
  advice,
});

const TMPFS_MAGIC = 0x0102_1994;
/** What one process with the default ceilings may come to occupy at most. */
const ROOMY_BYTES = 128 * 1024 * 1024;
/** First kernel that fills shared memory on demand (MADV_POPULATE_WRITE). */
const GROWING_KERNEL = [5, 14] as const;
const AGENT_TEST_MS = 10_000;

const BUILD = 'Run "npm run setup" in edleak\'s folder';

function agentFile(): Finding {
  const facts = readElfFacts(AGENT_PATH);
  if (!facts.ok) return problem("agent", `not built: ${AGENT_PATH}`, BUILD);
  return ok("agent", `${edleakVersion()} for ${facts.value.machine}: ${AGENT_PATH}`);
}

function cLibrary(): Finding {
  const facts = readElfFacts(LAUNCHER_PATH);
  if (!facts.ok) return problem("C library", "the launcher is not built", BUILD);
  const musl = facts.value.interpreter?.includes("musl") ?? false;
  return ok("C library", musl ? "musl" : `glibc ${glibcVersion() ?? ""}`.trim());
}

function glibcVersion(): string | null {
  const report = process.report?.getReport() as
    | { readonly header?: { readonly glibcVersionRuntime?: string } }
    | undefined;
  return report?.header?.glibcVersionRuntime ?? null;
}

/** Starts a small program with the agent, as `run` would, and looks for its segment. */
function agentLoads(): Finding {
  const folder = mkdtempSync(join(tmpdir(), "edleak-doctor-"));
  try {
    const { status, stderr } = spawnSync("/bin/sh", ["-c", ":"], {
      env: {
        ...helperEnv(process.env),
        LD_PRELOAD: loadableAgent(AGENT_PATH),
        EDLEAK_DIR: folder,
        EDLEAK_KEEP: "1",
      },
      encoding: "utf8",
      timeout: AGENT_TEST_MS,
    });
    const complaint = stderr.split("\n", 1)[0] ?? "";
    if (status !== 0 || complaint !== "") {
      return problem(
        "loading",
        `a program with the agent says: ${complaint || `status ${status}`}`,
        BUILD,
      );
    }
    return readdirSync(folder).length > 0
      ? ok("loading", "the agent loads into a program and counts")
      : problem("loading", "the agent loads into /bin/sh but counts nothing", BUILD);
  } catch (error) {
    return problem("loading", (error as Error).message, BUILD);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function kernel(): Finding {
  const [major = 0, minor = 0] = release()
    .split(".")
    .map((part) => Number.parseInt(part, 10));
  const [wantedMajor, wantedMinor] = GROWING_KERNEL;
  const grows = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  if (grows) return ok("kernel", release());
  const text = `${release()}: segments can't grow and hold fewer allocers`;
  return warning("kernel", text, `Linux ${GROWING_KERNEL.join(".")} or newer has no such limit`);
}

function procFolder(): Finding {
  return selfIdentity() === null
    ? problem(
        "/proc",
        "not readable",
        "Mount it (in a container or chroot: mount -t proc proc /proc)",
      )
    : ok("/proc", "readable");
}

/** The folder of the segments, or the one in which it would be made. */
function sharedMemory(): Finding[] {
  const path = segmentDirectory();
  const checked = checkSegmentDirectory(path);
  const isMissing = !checked.ok && checked.reason.kind === "gone";
  if (!checked.ok && !isMissing) {
    return [
      problem(
        "segments",
        `"${path}" can't be used: ${describeDirectoryRefusal(checked.reason)}`,
        "Remove it, or set EDLEAK_DIR to a folder of your own with mode 700",
      ),
    ];
  }
  const place = isMissing ? dirname(path) : path;
  try {
    accessSync(place, constants.W_OK);
    const { type, bavail, bsize, blocks } = statfsSync(place);
    return [
      ok("segments", path),
      roomIn(place, type === TMPFS_MAGIC, bavail * bsize, blocks * bsize),
    ];
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? "unknown";
    return [
      problem(
        "segments",
        `"${place}" can't be written: ${why}`,
        "Set EDLEAK_DIR to a folder in shared memory (tmpfs) that you may write to",
      ),
    ];
  }
}

function roomIn(place: string, isTmpfs: boolean, freeBytes: number, allBytes: number): Finding {
  if (!isTmpfs) {
    const advice = "Set EDLEAK_DIR to a folder on a tmpfs, such as /dev/shm";
    return warning("room", `"${place}" is on a disk: programs may wait for it`, advice);
  }
  if (allBytes === 0) return ok("room", "no limit");
  const text = `${formatBytes(freeBytes)} free of ${formatBytes(allBytes)}`;
  if (freeBytes >= ROOMY_BYTES) return ok("room", text);
  return warning("room", `${text}: big programs may outgrow it`, "In Docker: --shm-size=256m");
}

function lineTools(): Finding {
  const { llvmSymbolizer, addr2line } = findLineTools();
  if (llvmSymbolizer !== null) return ok("lines", llvmSymbolizer);
  if (addr2line !== null) return ok("lines", addr2line);
  return warning(
    "lines",
    "neither llvm-symbolizer nor addr2line: functions are named without file and line",
    "Install one: apt-get install binutils (or llvm)",
  );
}

/** Looks at everything; the order is that of the report. */
export function examine(): readonly Finding[] {
  const agent = agentFile();
  return [
    ok("Node", process.versions.node),
    agent,
    cLibrary(),
    ...(agent.level === "ok" ? [agentLoads()] : []),
    kernel(),
    procFolder(),
    ...sharedMemory(),
    lineTools(),
  ];
}
