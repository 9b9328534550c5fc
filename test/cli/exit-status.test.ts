// The table of exit statuses, row by row.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileProgram, edleakRun, leftBehind, scratch } from "./harness.js";
import { moreSlices, startPuppet } from "./puppet.js";

const here = scratch("status");

beforeAll(() => {
  compileProgram(here, "puppet");
});

const puppet = (words: string, options: readonly string[] = [], args: readonly string[] = []) =>
  edleakRun(here, options, ["./puppet", ...args], { input: `${words}\n` });

describe("the status of the program is that of edleak", () => {
  test.each([0, 1, 7, 125, 126, 127, 255])("exit %d", async (code) => {
    expect(await puppet(`exit ${code}`)).toMatchObject({ code, signal: null });
    expect(leftBehind(here)).toEqual([]);
  });

  test.each([
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGKILL", 9],
    ["SIGUSR1", 10],
    ["SIGPIPE", 13],
    ["SIGALRM", 14],
    ["SIGTERM", 15],
  ])("killed by %s: edleak ends by the same signal", async (signal, number) => {
    expect(await puppet(`die ${number}`)).toMatchObject({ code: null, signal });
  });

  test.each([
    ["SIGQUIT", 3],
    ["SIGILL", 4],
    ["SIGABRT", 6],
    ["SIGFPE", 8],
    ["SIGSEGV", 11],
  ])("killed by %s, which dumps core: 128 and its number", async (_signal, number) => {
    expect(await puppet(`die ${number}`)).toMatchObject({ code: 128 + number, signal: null });
  });
});

describe("--duration", () => {
  const run = (args: readonly string[], options: readonly string[] = []) =>
    startPuppet(here, ["--duration", "300ms", "--period", "50ms", ...options], args);

  test("ends the program, with status 0", async () => {
    const { end } = await run([]);
    const { code, stderr } = await end;
    expect(code).toBe(0);
    expect(stderr).toContain("ended by SIGTERM");
  });

  test("is followed by SIGKILL when SIGTERM doesn't help", async () => {
    const { end } = await run(["ignore", "15"], ["--grace", "100ms"]);
    const { code, stderr } = await end;
    expect(code).toBe(0);
    expect(stderr).toContain("ended by SIGKILL");
  });

  test("ends a stopped program too", async () => {
    const { end, tell } = await run(["15"], ["--grace", "100ms"]);
    tell("stop");
    const { code, stdout } = await end;
    expect(code).toBe(0);
    expect(stdout).toContain("got 15");
  });

  test("changes nothing for a program that ends before", async () => {
    expect(await puppet("exit 3", ["--duration", "10m"])).toMatchObject({ code: 3 });
  });
});

describe("what could not be started", () => {
  test.each([
    ["a program that is nowhere", 127, ["no-such-program"], 'Program not found: "no-such-program"'],
    ["a path that is not there", 127, ["./no-such-program"], "Program not found"],
    ["an empty name", 127, [""], 'Program not found: ""'],
    ["a directory", 126, ["/tmp"], 'Cannot execute "/tmp": it is a directory'],
    ["a file without permission", 126, ["./text"], "no permission"],
    ["a script whose interpreter is not there", 127, ["./script"], "Interpreter of"],
  ])("%s: %d", async (_what, code, program, sentence) => {
    writeFileSync(join(here.folder, "text"), "words\n", { mode: 0o600 });
    writeFileSync(join(here.folder, "script"), "#!/no/such/shell\n", { mode: 0o700 });
    const end = await edleakRun(here, [], program);
    expect(end).toMatchObject({ code, stdout: "" });
    expect(end.stderr).toContain(sentence);
    expect(end.stderr.trimEnd().split("\n")).toHaveLength(2);
  });

  test("a script without a first line runs by the shell, as execvp has it", async () => {
    writeFileSync(join(here.folder, "plain"), "echo by the shell\nexit 9\n", { mode: 0o700 });
    expect(await edleakRun(here, ["--quiet"], ["./plain"])).toMatchObject({
      code: 9,
      stdout: "by the shell\n",
    });
  });
});

/** Enough that no slice of chance decides. */
const SLICES = 120;

describe("--fail-on", () => {
  /** Leaks in every slice, among healthy work, and ends well. */
  async function leaking(options: readonly string[]) {
    const { tell, said, end } = await startPuppet(here, ["--period", "10ms", ...options]);
    await said("watching");
    for (let slice = 0; slice < SLICES; slice++) {
      tell("work 9 64\nforget 20 100");
      await moreSlices(here, 1);
    }
    tell("exit 0");
    return await end;
  }

  test("confirmed: 1 when a leak is confirmed", async () => {
    const { code, stderr } = await leaking(["--fail-on", "confirmed"]);
    expect(stderr).toContain("LEAKS");
    expect(code).toBe(1);
  });

  test("likely: 1 as well, since confirmed is surer", async () => {
    expect((await leaking(["--fail-on=likely"])).code).toBe(1);
  });

  test("without it a leak changes no status", async () => {
    expect((await leaking([])).code).toBe(0);
  });

  test("is 0 where nothing is found", async () => {
    expect(await puppet("work 100 10", ["--fail-on", "likely"])).toMatchObject({ code: 0 });
  });
});
