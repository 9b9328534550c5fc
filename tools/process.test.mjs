import { expect, test } from "vitest";
import { run } from "./process.mjs";

test("run keeps both streams in the order in which they were written", () => {
  const { ok, why, output } = run("/bin/sh", ["-c", "echo a; echo b >&2; echo c"]);
  expect(output).toBe("a\nb\nc\n");
  expect(ok).toBe(true);
  expect(why).toBe("");
});

test("run tells a program that fails from one that is killed and one that isn't there", () => {
  expect(run("/bin/sh", ["-c", "exit 3"])).toMatchObject({ ok: false, why: "exit status 3" });
  expect(run("/bin/sh", ["-c", "kill -9 $$"])).toMatchObject({
    ok: false,
    why: "ended by SIGKILL",
  });
  expect(run("/no/such/program", [])).toMatchObject({ ok: false, missing: true });
});

test("run gives a program nothing to read", () => {
  expect(run("/bin/cat", []).output).toBe("");
});
