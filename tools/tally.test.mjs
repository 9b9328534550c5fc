import { describe, expect, test } from "vitest";
import { sum, tallyLines, tallyVitest } from "./tally.mjs";

const file = (name, status, tests) => ({
  name: `/clone/${name}`,
  status,
  assertionResults: tests.map(([title, outcome]) => ({
    ancestorTitles: ["group"],
    title,
    status: outcome,
  })),
});

describe("tallyVitest", () => {
  test("counts what passed, and names what failed or was skipped", () => {
    const report = {
      testResults: [
        file("src/a.test.ts", "failed", [
          ["one", "passed"],
          ["two", "failed"],
        ]),
        file("test/b.test.ts", "passed", [
          ["three", "pending"],
          ["four", "todo"],
          ["five", "passed"],
        ]),
      ],
    };
    expect(tallyVitest(report, "/clone")).toEqual({
      passed: 2,
      failed: ["src/a.test.ts > group > two"],
      skipped: ["test/b.test.ts > group > three", "test/b.test.ts > group > four"],
    });
  });

  test("a file that can't be loaded is one failure", () => {
    const report = { testResults: [file("src/a.test.ts", "failed", [])] };
    expect(tallyVitest(report, "/clone").failed).toEqual(["src/a.test.ts"]);
  });

  test("a file whose preparation fails is one failure, its tests aren't skips", () => {
    const report = { testResults: [file("src/a.test.ts", "failed", [["one", "skipped"]])] };
    const { failed, skipped } = tallyVitest(report, "/clone");
    expect(failed).toEqual(["src/a.test.ts"]);
    expect(skipped).toEqual([]);
  });
});

describe("tallyLines", () => {
  test("reads one test a line, whatever make prints between", () => {
    const output = [
      "cc -O2 -o build/test/tag tag.c",
      "ok tag survives",
      "not ok counters add up: 3 instead of 4",
      "skip musl preload: no musl-gcc",
      "ok counters start at zero",
      "okay, this is no test",
    ].join("\n");
    expect(tallyLines(output)).toEqual({
      passed: 2,
      failed: ["counters add up: 3 instead of 4"],
      skipped: ["musl preload: no musl-gcc"],
    });
  });

  test("finds nothing where nothing is reported", () => {
    expect(tallyLines("make: Nothing to be done for 'test'.\n").passed).toBe(0);
  });
});

test("sum adds numbers and keeps names in order", () => {
  const total = sum([
    { passed: 1, failed: ["a"], skipped: [] },
    { passed: 2, failed: ["b"], skipped: ["c"] },
  ]);
  expect(total).toEqual({ passed: 3, failed: ["a", "b"], skipped: ["c"] });
});
