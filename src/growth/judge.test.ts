import { describe, expect, test } from "vitest";
import {
  type Handle,
  poisson,
  type SimulatedAllocer,
  seededRandom,
  simulate,
} from "../../test/support/simulated-allocer.js";
import { judge } from "./judge.js";

/** Traffic that has long been going on: `perSlice` blocks, each freed after 1 to 6 slices. */
function traffic(perSlice: number, seed = 1) {
  const random = seededRandom(seed);
  const due: Handle[][] = [];
  return (allocer: SimulatedAllocer, k: number): void => {
    for (const block of due[k] ?? []) allocer.free(block);
    for (let i = 0; i < (k === 0 ? 3.5 : 1) * perSlice; i++) {
      const end = k + 1 + Math.floor(6 * random());
      due[end] ??= [];
      due[end].push(allocer.alloc(256));
    }
  };
}

/** So many blocks of so many bytes per slice, never freed. */
const leak = (blocks: number, bytes: number) => (allocer: SimulatedAllocer) => {
  for (let i = 0; i < blocks; i++) allocer.alloc(bytes);
};

describe("what leaks", () => {
  test("three blocks per slice are a confirmed linear leak with its exact rate", () => {
    const verdict = judge(simulate(60, leak(3, 100)));
    expect(verdict).toMatchObject({
      state: "confirmed",
      class: "linear",
      path: "survivors",
      leakBytes: 59 * 300,
      window: { from: 0, to: 59, slices: 60 },
      advice: null,
      sentence:
        "177 of 177 blocks were never freed; allocated in 59 of 59 slices up to now; no sign of slowing",
    });
    expect(verdict.rate.rate).toBe(300);
    expect(verdict.rate.rateLow).toBeLessThan(300);
    expect(verdict.rate.rateHigh).toBeGreaterThan(300);
    expect(verdict.facts).toEqual({
      maturitySlices: 0,
      maturitySeconds: 0,
      matureAlive: 177,
      matureFreed: 0,
      growthEvents: 59,
      generations: 59,
      sinceLastEvent: 0,
      firstThirdShare: expect.closeTo(1 / 3, 9),
    });
  });

  test("three blocks per slice under thirty times as much traffic is found and counted out of it", () => {
    const churn = traffic(100);
    const verdict = judge(
      simulate(60, (allocer, k) => {
        churn(allocer, k);
        leak(3, 48)(allocer);
      }),
    );
    expect(verdict).toMatchObject({ state: "confirmed", class: "linear", leakBytes: 59 * 144 });
    expect(verdict.facts).toMatchObject({ maturitySlices: 8, matureAlive: 153, matureFreed: 0 });
    expect(verdict.rate.rate).toBeCloseTo(144, 9);
    expect(verdict.sentence).toBe(
      "153 of 153 blocks older than 8 s were never freed (about 1 in 34 allocated); " +
        "allocated in 51 of 51 slices up to now; no sign of slowing",
    );
  });

  test("a leak that follows an uneven load is found on the clock of its allocations", () => {
    const random = seededRandom(3);
    const verdict = judge(
      simulate(120, (allocer, k) => {
        const requests = k % 30 < 8 ? 120 : 6;
        for (let i = 0; i < requests; i++) {
          const block = allocer.alloc(64);
          if (random() > 0.1) allocer.free(block);
        }
      }),
    );
    expect(verdict.state).toBe("confirmed");
    expect(verdict.class).toBe("linear");
  });

  test("births that double every ten slices are exponential", () => {
    const verdict = judge(
      simulate(80, (allocer, k) => {
        for (let i = 0; i < Math.round(2 ** (k / 10)); i++) allocer.alloc(16);
      }),
    );
    expect(verdict).toMatchObject({ state: "confirmed", class: "exp" });
    expect(verdict.sentence).toContain("faster and faster");
  });

  test("one block every eight slices, as regular as a clock, is a leak", () => {
    const verdict = judge(
      simulate(80, (allocer, k) => {
        if (k % 8 === 4) allocer.alloc(4096);
      }),
    );
    expect(verdict.state).toBe("confirmed");
    expect(verdict.facts.growthEvents).toBe(10);
    expect(verdict.rate.rate).toBeGreaterThan(4096 / 8 / 1.2);
    expect(verdict.rate.rate).toBeLessThan((4096 / 8) * 1.2);
  });

  test("one array that is reallocated to a larger one all the time is a growing container", () => {
    let array: Handle | undefined;
    const verdict = judge(
      simulate(120, (allocer, k) => {
        array = array === undefined ? allocer.alloc(64) : allocer.realloc(array, 64 + 16 * k);
      }),
    );
    expect(verdict).toMatchObject({ path: "container", class: "linear", leakBytes: 119 * 16 });
    expect(["likely", "confirmed"]).toContain(verdict.state);
    expect(verdict.rate.rate).toBeCloseTo(16, 9);
    expect(verdict.sentence).toBe("One block that keeps being reallocated: +16 B every 1 s");
  });

  test("a leak in a run of a thousand slices is told in groups of slices", () => {
    const verdict = judge(simulate(1000, (allocer, k) => k % 3 === 0 && allocer.alloc(100)));
    expect(verdict.state).toBe("confirmed");
    expect(verdict.sentence).toContain("62 of 62 groups of 16 slices up to now");
  });

  test("times are those of the slices, however irregular", () => {
    const random = seededRandom(9);
    const times: number[] = [];
    for (let k = 0, now = 0; k < 60; k++, now += 0.5 + 9 * random()) times.push(now);
    const perSecond = 40;
    const series = simulate(
      60,
      (allocer, k) => {
        const gap = k === 0 ? 0 : times[k]! - times[k - 1]!;
        for (let i = 0; i < Math.round(gap); i++) allocer.alloc(perSecond);
      },
      (k) => times[k]!,
    );
    const verdict = judge(series);
    expect(verdict.state).toBe("confirmed");
    expect(verdict.rate.rate / perSecond).toBeCloseTo(1, 1);
    expect(verdict.rate.rateLow).toBeLessThan(perSecond);
    expect(verdict.rate.rateHigh).toBeGreaterThan(perSecond);
  });
});

describe("what does not leak", () => {
  const healthy = ["stable", "filling"];

  test("traffic is stable, and says how long its blocks live", () => {
    const verdict = judge(simulate(60, traffic(20)));
    expect(verdict).toMatchObject({ state: "stable", class: "const", leakBytes: 0, advice: null });
    expect(verdict.rate).toEqual({ rate: 0, rateLow: 0, rateHigh: 0 });
    expect(verdict.sentence).toMatch(/^Blocks live \d\.\d s on average; none older than \d s$/);
  });

  test("a cache that fills up is filling, with the bytes it gained", () => {
    const random = seededRandom(5);
    const verdict = judge(
      simulate(60, (allocer, k) => {
        const births = poisson(60 * Math.exp(-k / 8), random);
        for (let i = 0; i < births; i++) allocer.alloc(1000);
      }),
    );
    expect(verdict).toMatchObject({ state: "filling", class: "log", advice: null });
    expect(verdict.leakBytes).toBeGreaterThan(300_000);
    expect(verdict.sentence).toMatch(/^Growth is ending: 9\d % of it happened in the first third$/);
  });

  test("a sawtooth that has been released twice is no leak", () => {
    const held: Handle[] = [];
    const verdict = judge(
      simulate(60, (allocer, k) => {
        for (let i = 0; i < 5; i++) held.push(allocer.alloc(100));
        if (k === 20 || k === 40) for (const block of held.splice(0)) allocer.free(block);
      }),
    );
    expect(healthy).toContain(verdict.state);
  });

  test("one flush is remembered: what came after it is no leak before the next one", () => {
    const held: Handle[] = [];
    const verdict = judge(
      simulate(60, (allocer, k) => {
        for (let i = 0; i < 3; i++) held.push(allocer.alloc(100));
        if (k === 5) for (const block of held.splice(0)) allocer.free(block);
      }),
    );
    expect(verdict.path).toBe("massRelease");
    expect(healthy).toContain(verdict.state);
    expect(verdict.sentence).toBe(
      "Released most of its blocks at once 54 s ago; hardly any block older than that is left",
    );
    expect(verdict.advice).toBe("Keep watching until the next release: a leak would outlive it");
  });

  test("a pool allocated at the start is stable", () => {
    const verdict = judge(
      simulate(60, (allocer, k) => {
        if (k === 0) for (let i = 0; i < 82; i++) allocer.alloc(512);
      }),
    );
    expect(verdict).toMatchObject({ state: "stable", class: "const", leakBytes: 0 });
    expect(verdict.sentence).toBe(
      "Its 82 blocks don't multiply: no other has stayed since the start",
    );
  });

  test("a burst in the middle is no leak", () => {
    const verdict = judge(
      simulate(60, (allocer, k) => {
        if (k >= 20 && k < 24) for (let i = 0; i < 50; i++) allocer.alloc(64);
      }),
    );
    expect(healthy).toContain(verdict.state);
  });

  test("two blocks in a hundred slices are late set-up, not an open question", () => {
    const verdict = judge(
      simulate(100, (allocer, k) => {
        if (k === 30 || k === 71) allocer.alloc(64);
      }),
    );
    expect(verdict.state).toBe("stable");
    expect(verdict.sentence).toBe(
      "No lasting growth: 2 blocks stayed, allocated in 2 slices, the last 28 s ago",
    );
  });

  test("an allocer that never allocates is stable", () => {
    const verdict = judge(simulate(60, () => {}));
    expect(verdict).toMatchObject({
      state: "stable",
      class: "const",
      sentence: "Nothing of it is alive",
    });
  });
});

describe("what is not known yet", () => {
  test("seven slices are too few for any verdict, eight are not", () => {
    const verdict = judge(simulate(7, (allocer) => allocer.alloc(100)));
    expect(verdict).toMatchObject({
      state: "undecided",
      class: null,
      path: "tooShort",
      leakBytes: 0,
      rate: { rate: 0, rateLow: 0, rateHigh: 0 },
      sentence: "Only 7 slices so far: a verdict needs 8",
      advice: "1 more slice, or --period 100ms over the same time",
    });
    expect(judge(simulate(8, (allocer) => allocer.alloc(100))).state).not.toBe("undecided");
  });

  test("a very short run is not advised a period that doesn't exist", () => {
    const verdict = judge(
      simulate(
        3,
        (allocer) => allocer.alloc(100),
        (k) => k * 0.01,
      ),
    );
    expect(verdict.advice).toBe("5 more slices");
  });

  test("no slice at all is said to be none", () => {
    const verdict = judge(simulate(0, () => {}));
    expect(verdict).toMatchObject({
      state: "undecided",
      sentence: "No slice so far: a verdict needs 8",
    });
  });

  test("three blocks at even distances may be a slow leak: undecided, with the slices it takes", () => {
    const verdict = judge(
      simulate(60, (allocer, k) => {
        if (k === 20 || k === 40 || k === 58) allocer.alloc(64);
      }),
    );
    expect(verdict).toMatchObject({ state: "undecided", class: null, leakBytes: 0 });
    expect(verdict.sentence).toBe(
      "3 blocks never freed, allocated in 3 of 59 slices: too few to tell a slow leak from late set-up",
    );
    expect(verdict.advice).toBe("About 60 more slices needed");
  });

  test("five blocks as regular as a clock are suspect and no more", () => {
    const verdict = judge(
      simulate(60, (allocer, k) => {
        if (k % 11 === 8) allocer.alloc(64);
      }),
    );
    expect(verdict.score).toBeGreaterThan(3);
    expect(verdict).toMatchObject({ state: "suspect", class: "linear" });
    expect(verdict.sentence).toBe(
      "Growing, not enough evidence yet: 5 blocks never freed, allocated in 5 of 59 slices",
    );
  });

  test("a short leak is likely, and the healthy explanation is named", () => {
    const verdict = judge(simulate(16, leak(8, 100)));
    expect(verdict.state).toBe("likely");
    expect(verdict.advice).toMatch(
      /^Or a cache that is less than 60 % full: about \d+ more slices will tell$/,
    );
  });
});

describe("without evidence by generation", () => {
  test("the byte curve alone can make a leak likely", () => {
    const series = { ...simulate(60, (allocer) => allocer.alloc(100)), evidence: null };
    const verdict = judge(series);
    expect(verdict).toMatchObject({ path: "container", class: "linear", leakBytes: 5900 });
    expect(["likely", "confirmed"]).toContain(verdict.state);
    expect(verdict.sentence).toBe("Bytes that are never given back: +100 B every 1 s");
  });

  test("a flat curve is stable", () => {
    const series = { ...simulate(60, traffic(5)), evidence: null };
    const flat = { ...series, bytes: series.bytes.length > 0 ? Array(60).fill(4096) : [] };
    expect(judge(flat)).toMatchObject({
      state: "stable",
      sentence: "The bytes that are never given back don't grow",
    });
  });
});

test("a series whose columns are decimated gets the verdict of the whole one", () => {
  const whole = simulate(240, (allocer) => allocer.alloc(100));
  const every8 = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % 8 === 7);
  const decimated = {
    times: every8(whole.times),
    bytes: every8(whole.bytes),
    blocks: every8(whole.blocks),
    allocs: every8(whole.allocs),
    frees: every8(whole.frees),
    evidence: whole.evidence,
  };
  const { window: _, ...verdict } = judge(decimated);
  expect(judge(whole)).toMatchObject(verdict);
});
