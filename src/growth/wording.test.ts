import { describe, expect, test } from "vitest";
import { simulate } from "../../test/support/simulated-allocer.js";
import type { VerdictFacts } from "../contract/verdict.js";
import { type Case, nameOf } from "./case.js";
import { type Finding, type Growth, NO_GROWTH } from "./finding.js";
import { NO_RATE } from "./rate.js";
import { sayTooShort, sayVerdict } from "./wording.js";

interface Told {
  readonly state: Case["state"];
  readonly facts?: Partial<VerdictFacts>;
  readonly growth?: Partial<Growth>;
  readonly finding?: Partial<Finding>;
}

const FACTS: VerdictFacts = {
  maturitySlices: 16,
  maturitySeconds: 16,
  matureAlive: 212,
  matureFreed: 0,
  growthEvents: 41,
  generations: 44,
  sinceLastEvent: 16,
  firstThirdShare: 0.33,
};

/** A leak as the design shows it, with what a test changes in it. */
function told({ state, facts, growth, finding }: Told): Case {
  const grown: Growth = {
    ...NO_GROWTH,
    events: 41,
    generations: 44,
    from: 0,
    to: 44,
    bytes: 212_000,
    firstHalfShare: 0.5,
    firstThirdShare: 0.33,
    lastEvent: 44,
    alternative: { kind: "filling", share: 0.53 },
    ...growth,
  };
  return {
    state,
    facts: { ...FACTS, ...facts },
    finding: {
      path: "survivors",
      score: 8,
      gate: 0,
      class: "linear",
      rate: NO_RATE,
      growth: grown,
      maturity: null,
      survival: 1,
      ...finding,
    },
    series: simulate(61, (allocer) => allocer.alloc(1000)),
    window: { from: 0, to: 60, slices: 61 },
  };
}

const sentence = (it: Told): string => sayVerdict(told(it)).sentence;

describe("a leak's sentence", () => {
  test("counts the old blocks, the slices, and the trend", () => {
    expect(sayVerdict(told({ state: "confirmed" }))).toEqual({
      sentence:
        "212 of 212 blocks older than 16 s were never freed; allocated in 41 of 44 slices up to now; " +
        "no sign of slowing",
      advice: null,
    });
  });

  test("agrees in number", () => {
    expect(
      sentence({ state: "suspect", facts: { matureAlive: 1, growthEvents: 1, generations: 1 } }),
    ).toBe("Growing, not enough evidence yet: 1 block never freed, allocated in 1 of 1 slice");
    expect(sentence({ state: "likely", facts: { matureAlive: 1, matureFreed: 2 } })).toMatch(
      /^1 of 3 blocks older than 16 s was never freed;/,
    );
  });

  test("names the share of the traffic that stays", () => {
    expect(sentence({ state: "confirmed", finding: { survival: 1 / 98 } })).toContain(
      "were never freed (about 1 in 98 allocated);",
    );
  });

  test("says when the last event was, if it is long ago", () => {
    expect(sentence({ state: "likely", facts: { sinceLastEvent: 56 } })).toContain(
      "in 41 of 44 slices, the last 56 s ago;",
    );
  });

  test("says what slows down, and what speeds up", () => {
    expect(sentence({ state: "likely", growth: { firstHalfShare: 0.81 } })).toContain(
      "; slower than at first: 81 % of the growth came in the first half",
    );
    expect(sentence({ state: "likely", growth: { firstHalfShare: 0.2 } })).toContain(
      "; faster than at first",
    );
    expect(sentence({ state: "likely", finding: { class: "exp" } })).toContain(
      "; faster and faster",
    );
  });

  test("takes no chance for a trend", () => {
    expect(sentence({ state: "likely", growth: { firstHalfShare: 0.81, events: 6 } })).toContain(
      "no sign of slowing",
    );
  });
});

describe("a container's sentence", () => {
  const container = {
    path: "container",
    rate: { rate: 1365, rateLow: 1000, rateHigh: 1700 },
  } as const;

  test("gives the size and the time of a step", () => {
    const it = told({ state: "likely", finding: container, growth: { events: 20, to: 60 } });
    const one = { ...it, series: { ...it.series, blocks: [1] } };
    expect(sayVerdict(one)).toEqual({
      sentence: "One block that keeps being reallocated: +4 KB every 3 s",
      advice: "Or a container that is less than 60 % full: about 1 more slice will tell",
    });
    expect(sayVerdict(it).sentence).toBe(
      "61 blocks, hardly more than before, that keep growing: +4 KB every 3 s",
    );
  });

  test("doubts where the state does", () => {
    expect(sentence({ state: "suspect", finding: container, growth: { events: 20, to: 60 } })).toBe(
      "61 blocks, hardly more than before, that keep growing: +4 KB every 3 s; growing, not enough evidence yet",
    );
  });
});

describe("a filling allocer's sentence", () => {
  test("says that growth is ending", () => {
    expect(sayVerdict(told({ state: "filling", growth: { firstThirdShare: 0.96 } }))).toEqual({
      sentence: "Growth is ending: 96 % of it happened in the first third",
      advice: null,
    });
  });

  test("says that the blocks are freed, where they are", () => {
    const facts = { matureAlive: 37, matureFreed: 140, maturitySeconds: 1.5 };
    expect(sayVerdict(told({ state: "filling", facts, finding: { gate: -9, score: -9 } }))).toEqual(
      {
        sentence: "Grows, but its blocks are freed: 140 of 177 blocks older than 1.5 s were",
        advice: "Keep watching: a leak would go on at this pace",
      },
    );
  });

  test("names what it looks like instead of a leak", () => {
    expect(sentence({ state: "filling", finding: { score: -1 } })).toBe(
      "Grows, but more like a cache that is less than 60 % full than like a leak",
    );
    expect(sentence({ state: "filling", growth: { alternative: null } })).toBe(
      "Grows, but none of its blocks gets old",
    );
  });

  test("admits that it could be a leak, and how long that stays open", () => {
    expect(sayVerdict(told({ state: "filling", finding: { score: 1.5 } }))).toEqual({
      sentence: "Grows, too little so far to tell a leak from a cache that is less than 60 % full",
      advice: "About 65 more slices needed",
    });
  });
});

test("every healthy explanation has a name", () => {
  const kinds = ["fading", "burst", "begun", "bursts", "runs"] as const;
  const names = [
    ...kinds.map((kind) => nameOf({ kind }, "cache")),
    nameOf({ kind: "stopped", share: 0.3 }, "cache"),
    nameOf({ kind: "filling", share: 0.83 }, "cache"),
    nameOf({ kind: "filling", share: 0.53 }, "container"),
  ];
  expect(names).toContain("a cache that is 83 % full");
  expect(names).toContain("a container that is less than 60 % full");
  expect(new Set(names).size).toBe(8);
});

test("a window that is too short is told what it lacks, and the period that would do", () => {
  expect(sayTooShort({ from: 0, to: 4, slices: 5 })).toEqual({
    sentence: "Only 5 slices so far: a verdict needs 8",
    advice: "3 more slices, or --period 100ms over the same time",
  });
  expect(sayTooShort({ from: 10, to: 10, slices: 1 })).toEqual({
    sentence: "Only 1 slice so far: a verdict needs 8",
    advice: "7 more slices",
  });
  expect(sayTooShort({ from: 0, to: 3600 * 6, slices: 7 }).advice).toBe(
    "1 more slice, or --period 500s over the same time",
  );
});
