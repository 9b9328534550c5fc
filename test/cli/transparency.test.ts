// The target finds the world as without edleak: everything inherited is compared, bare and under `edleak run`.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn as spawnPty } from "@lydell/node-pty";
import { beforeAll, describe, expect, test } from "vitest";
import { compileProgram, EDLEAK, installed, leftBehind, runToEnd, scratch } from "./harness.js";

const here = scratch("transparency");
const RUN = `"${EDLEAK}" run --quiet --`;

/** Lines of the documented difference. */
const DOCUMENTED = /^variable (LD_PRELOAD|EDLEAK_RUN)=/;

beforeAll(() => {
  compileProgram(here, "world");
});

/** Runs a shell script in which $RUN stands before the program that is compared. */
const script = (text: string, run: string): string =>
  `export SHELL_PID=$$; cd "${here.folder}"; ${text.replaceAll("$RUN", run)}`;

async function worldOf(text: string, run: string, shell = "sh"): Promise<readonly string[]> {
  const end = await runToEnd(here, [shell, "-c", script(text, run)]);
  expect(end.stderr).toBe("");
  expect(end.code).toBe(0);
  return end.stdout.split("\n");
}

/** What differs must be the two documented variables, and they must be there. */
function expectAlike(bare: readonly string[], watched: readonly string[]): void {
  const limits = bare.filter((line) => line.startsWith("limit "));
  expect(limits).toHaveLength(16);
  expect(bare.length).toBeGreaterThan(30);
  const extra = watched.filter((line) => DOCUMENTED.test(line));
  expect(extra.map((line) => line.replace(/=.*/, ""))).toEqual([
    "variable EDLEAK_RUN",
    "variable LD_PRELOAD",
  ]);
  expect(watched.filter((line) => !DOCUMENTED.test(line))).toEqual(bare);
}

const SCENARIOS: readonly (readonly [what: string, text: string])[] = [
  ["alone", "$RUN ./world"],
  ["with arguments that look like options", "$RUN ./world --period 7 -- --json x ''"],
  [
    "with arguments and variables that are not UTF-8",
    `X=$(printf 'a\\377b') $RUN ./world "$(printf '\\200')"`,
  ],
  ["found through PATH", `PATH="$PWD:$PATH" $RUN world`],
  ["with descriptor 3 open", "$RUN ./world 3<world"],
  ["with many descriptors open", "$RUN ./world 3<world 4>&1 7<&0 9>>log"],
  ["without stdin", "$RUN ./world <&-"],
  ["without stdin and stderr", "$RUN ./world <&- 2>&-"],
  ["with a low soft limit of open files", "ulimit -Sn 256; $RUN ./world"],
  ["with limits of address space and file size", "ulimit -v 4000000; ulimit -f 1000; $RUN ./world"],
  ["with another umask and niceness", "umask 027; exec nice -n 5 $RUN ./world"],
  ["with ignored signals", "trap '' HUP PIPE USR1 TSTP TTOU; $RUN ./world"],
  ["with blocked signals", "env --block-signal=TERM,USR1,ALRM --ignore-signal=QUIT $RUN ./world"],
  ["under nohup", "nohup $RUN ./world 2>/dev/null"],
  ["in a pipeline", "echo words | $RUN ./world | cat"],
  ["in the background", "$RUN ./world & wait"],
  [
    "in an empty environment",
    'env -i SHELL_PID=$$ EDLEAK_DIR="$EDLEAK_DIR" PATH="$PATH" $RUN ./world',
  ],
  [
    "with names that are no identifiers",
    "env 'a.b=1' 'BASH_FUNC_f%%=() { :; }' PWD=/elsewhere $RUN ./world",
  ],
  ["in a folder with a space", "mkdir -p 'a b'; cd 'a b'; cp ../world .; $RUN ./world"],
  ["without address space randomisation", "setarch -R $RUN ./world"],
];

describe("the target finds the same world", () => {
  test.each(SCENARIOS)("%s", async (_what, text) => {
    expectAlike(await worldOf(text, ""), await worldOf(text, RUN));
    expect(leftBehind(here)).toEqual([]);
  });

  test.skipIf(!installed("bash"))("with descriptors of many digits", async () => {
    const text = "exec 10<world 15<world 300<world; env -u _ $RUN ./world";
    const bare = await worldOf(text, "", "bash");
    expect(bare.filter((line) => /^descriptor (10|15|300): /.test(line))).toHaveLength(3);
    expectAlike(bare, await worldOf(text, RUN, "bash"));
  });

  test("in make -j2 with its job server", async () => {
    const makefile = (run: string): string => `all:\n\t+@${run} ./world\n`;
    const make = async (run: string): Promise<readonly string[]> => {
      writeFileSync(join(here.folder, "Makefile"), makefile(run));
      return worldOf("exec make -s -j2 all", "");
    };
    const bare = await make("");
    expect(bare.join("\n")).toMatch(/variable MAKEFLAGS=.*jobserver/);
    expectAlike(bare, await make(RUN));
  });
});

describe("bin/edleak can be called", () => {
  test.each([
    ["through a symbolic link", "link/edleak"],
    ["through a chain of links in a path with spaces", "a path/with spaces/edleak"],
  ])("%s", async (_what, path) => {
    const link = join(here.folder, path);
    mkdirSync(join(link, ".."), { recursive: true });
    symlinkSync(EDLEAK, `${link}-target`);
    symlinkSync(`${link}-target`, link);
    const bare = await worldOf("$RUN ./world", "");
    expectAlike(bare, await worldOf("$RUN ./world", `"${link}" run --quiet --`));
  });

  test("with a NODE_OPTIONS that is meant for the target", async () => {
    const text = "NODE_OPTIONS=--no-such-option $RUN ./world";
    expectAlike(await worldOf(text, ""), await worldOf(text, RUN));
  });
});

test("an LD_PRELOAD of its own is kept, behind the agent", async () => {
  const watched = await worldOf("LD_PRELOAD=libc.so.6:libm.so.6 $RUN ./world", RUN);
  const line = watched.find((text) => text.startsWith("variable LD_PRELOAD="));
  expect(line).toMatch(/=\/[^ :$]*\/libedleak[^/]*\.so:libc\.so\.6:libm\.so\.6$/);
});

describe("on a terminal", () => {
  /** Runs the script on a terminal of its own; all that appears there. */
  const onTerminal = (text: string, run: string): Promise<readonly string[]> =>
    new Promise((done) => {
      const terminal = spawnPty("sh", ["-c", script(text, run)], {
        env: { ...here.env },
        cols: 4000,
      });
      let shown = "";
      terminal.onData((more) => {
        shown += more;
      });
      terminal.onExit(() => done(shown.replaceAll("\r", "").split("\n")));
    });

  /** The number of the terminal differs from start to start. */
  const nameless = (lines: readonly string[]): readonly string[] =>
    lines.map((line) => line.replaceAll(/\/dev\/pts\/\d+/g, "/dev/pts/N"));

  test("the target has it as its own", async () => {
    const bare = nameless(await onTerminal("$RUN ./world", ""));
    expect(
      bare.filter((line) => line.startsWith("terminal ") && line.endsWith("foreground 1")),
    ).toHaveLength(3);
    expectAlike(bare, nameless(await onTerminal("$RUN ./world", RUN)));
  });

  test("settings that the target changes stay changed", async () => {
    const text = "stty echo; $RUN stty -echo; stty -a | grep -o -- '-*echo '";
    const bare = await onTerminal(text, "");
    expect(bare.join("")).toContain("-echo");
    expect(await onTerminal(text, RUN)).toEqual(bare);
  });
});

describe("edleak holds nothing of the target's", () => {
  // What is wrong here would wait for ever.
  const bounded = (text: string) =>
    runToEnd(here, ["timeout", "30", "sh", "-c", script(text, RUN)]);

  test("a lock is free once the target has closed its descriptor", async () => {
    const target = "exec 9>&-; flock lock echo free";
    const end = await bounded(`exec 9>lock; flock 9; $RUN sh -c '${target}' & exec 9>&-; wait`);
    expect(end).toMatchObject({ code: 0, stdout: "free\n" });
  });

  test("a reader of its stdout sees the end once the target has closed it", async () => {
    const target = "echo words; exec >&-; read go <go && echo $go >&2";
    const reader = "(cat; echo went on >go)";
    const end = await bounded(`mkfifo go; $RUN sh -c '${target}' | ${reader}`);
    expect(end).toMatchObject({ code: 0, stdout: "words\n", stderr: "went on\n" });
  });
});
