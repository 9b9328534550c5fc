/** Properties that hold for every report, however odd: the JSON fits its schema, the text is safe to print. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type {
  AllocerReport,
  Coverage,
  Frame,
  ProcessReport,
  RunReport,
} from "../contract/report.js";
import { LOSSES } from "../contract/segment.js";
import { PROCESS_STATES, STATES, type Verdict } from "../contract/verdict.js";
import { renderJson } from "./json.js";
import { renderText } from "./text.js";

const ROOT = join(import.meta.dirname, "../..");
const schema = JSON.parse(readFileSync(join(ROOT, "docs/formats/report.schema.json"), "utf8"));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
  schema,
);

/** Names as hostile as they come: any character, and often those that terminals act on. */
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ...["\x1b[2J", "\u009b", "\x07", "\n", "\u202e", "\u00ad", "\u{e0041}"],
        ...["a<b>(c)", "::", "é", "漢"],
      ),
    )
    .map((parts) => parts.join("")),
);
const count = fc.nat();
const amount = fc.double({ min: 0, max: 1e15, noNaN: true });
const hex = fc.nat().map((n) => `0x${n.toString(16)}`);
const nullable = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const growthClass = fc.constantFrom(null, "const", "log", "linear", "exp");
const rate = { rate: amount, rateLow: amount, rateHigh: amount };

const frame: fc.Arbitrary<Frame> = fc.record(
  {
    address: hex,
    module: hostile,
    buildId: hex,
    offset: hex,
    function: hostile,
    file: hostile,
    line: fc.integer({ min: 1, max: 1e6 }),
    inlined: fc.boolean(),
  },
  { requiredKeys: ["address", "module", "buildId", "offset", "inlined"] },
);

const verdict: fc.Arbitrary<Verdict> = fc.record({
  state: fc.constantFrom(...STATES),
  class: growthClass,
  score: fc.double({ min: -100, max: 100, noNaN: true }),
  path: fc.constantFrom("survivors", "container", "massRelease", "balance", "tooShort"),
  leakBytes: amount,
  rate: fc.record(rate),
  window: fc.record({ from: amount, to: amount, slices: count }),
  facts: fc.record({
    maturitySlices: count,
    maturitySeconds: amount,
    matureAlive: count,
    matureFreed: count,
    growthEvents: count,
    generations: count,
    sinceLastEvent: amount,
    firstThirdShare: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  sentence: hostile,
  advice: nullable(hostile),
});

const allocer: fc.Arbitrary<AllocerReport> = fc.record({
  id: count,
  parentId: nullable(count),
  key: hostile,
  stack: fc.array(hostile, { maxLength: 3 }),
  frames: fc.array(frame, { maxLength: 4 }),
  liveBytes: count,
  liveBlocks: count,
  totalAllocs: count,
  totalFrees: count,
  overruns: count,
  leakFactor: fc.record({ class: growthClass, leak: amount, ...rate }),
  verdict,
  sustained: fc.boolean(),
});

const coverage: fc.Arbitrary<Coverage> = fc.record({
  seen: nullable(fc.double({ min: 0, max: 1, noNaN: true })),
  lost: fc.record(Object.fromEntries(LOSSES.map(({ name }) => [name, count])), {
    requiredKeys: [],
  }),
  lostEvents: count,
  events: count,
  notes: fc.array(hostile, { maxLength: 2 }),
});

const process: fc.Arbitrary<ProcessReport> = fc.record({
  pid: fc.integer({ min: 1, max: 4e6 }),
  exe: hostile,
  argv: fc.array(hostile, { maxLength: 4 }),
  startTime: fc.constant("2026-03-01T09:30:00.000Z"),
  durationSeconds: amount,
  slices: fc.nat({ max: 20 }),
  periodSeconds: fc.double({ min: 0.01, max: 3600, noNaN: true }),
  exit: fc.record({
    code: nullable(fc.nat({ max: 255 })),
    signal: nullable(fc.constantFrom("SIGSEGV", "SIGTERM")),
  }),
  verdict: fc.record({
    state: fc.constantFrom(...PROCESS_STATES),
    sentence: hostile,
    advice: nullable(hostile),
  }),
  coverage,
  totals: fc.record({
    liveBytes: count,
    liveBlocks: count,
    allocs: count,
    frees: count,
    allocers: count,
    byState: fc.record({
      undecided: count,
      stable: count,
      filling: count,
      suspect: count,
      likely: count,
      confirmed: count,
    }),
  }),
  allocers: fc.array(allocer, { maxLength: 5 }),
});

const report: fc.Arbitrary<RunReport> = fc.record({
  edleak: fc.record({ version: fc.constant("0.1.0"), schema: fc.constant(1) }),
  processes: fc.array(process, { maxLength: 3 }),
});

describe("the JSON report", () => {
  test("fits its schema and says what the report says", () => {
    fc.assert(
      fc.property(report, (made) => {
        const read: unknown = JSON.parse(renderJson(made));
        expect(validate(read), JSON.stringify(validate.errors)).toBe(true);
        expect(read).toEqual(JSON.parse(JSON.stringify(made)));
      }),
    );
  });

  test("of every golden case fits the schema", () => {
    const folder = join(ROOT, "test/golden/report");
    const cases = readdirSync(folder);
    expect(cases.length).toBeGreaterThan(0);
    for (const name of cases) {
      const input = JSON.parse(readFileSync(join(folder, name, "input.json"), "utf8"));
      expect(validate(JSON.parse(renderJson(input))), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  test("of the example in docs/formats/report.md fits the schema", () => {
    const text = readFileSync(join(ROOT, "docs/formats/report.md"), "utf8");
    const [, example = ""] = /```json\n([\s\S]*?)```/.exec(text) ?? [];
    const report = JSON.parse(example);
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
    expect(JSON.stringify(JSON.parse(renderJson(report)))).toBe(JSON.stringify(report));
  });

  test("can be printed: nothing in it moves a cursor or hides", () => {
    fc.assert(
      fc.property(report, (made) => {
        const text = renderJson(made).replaceAll("\n", "");
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

const COLOURS = ["0", "1", "2", "36", "1;31", "1;32", "1;33"];
const withoutColours = (text: string): string =>
  COLOURS.reduce((left, code) => left.replaceAll(`\x1b[${code}m`, ""), text);

describe("the text report", () => {
  const options = fc.record({
    width: fc.integer({ min: -5, max: 300 }),
    unicode: fc.boolean(),
    colour: fc.boolean(),
  });

  test("holds no control character but its line ends and its colours", () => {
    fc.assert(
      fc.property(report, options, (made, how) => {
        const text = renderText(made, how);
        const plain = how.colour ? withoutColours(text) : text;
        expect(plain.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        if (!how.unicode) expect(plain).toMatch(/^[ -~\n]*$/);
      }),
    );
  });

  test("says how much was seen of each process it shows", () => {
    fc.assert(
      fc.property(process, options, (made, how) => {
        const text = renderText(
          { edleak: { version: "0.1.0", schema: 1 }, processes: [made] },
          how,
        );
        expect(text.match(/^ {2}\S*coverage/gm)).toHaveLength(1);
        expect(text).toMatch(/events\s+lost/);
      }),
    );
  });
});
