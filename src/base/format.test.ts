import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatRateInterval,
} from "./format.js";

describe("formatBytes", () => {
  test.each([
    [0, "0 B"],
    [1, "1 B"],
    [76, "76 B"],
    [1023, "1023 B"],
    [1024, "1 KB"],
    [1229, "1.2 KB"],
    [12_595, "12.3 KB"],
    [1_048_575, "1 MB"],
    [61 * 1024 * 1024, "61 MB"],
    [1.5 * 1024 ** 4, "1.5 TB"],
    [-2048, "-2 KB"],
    [0.052, "0.052 B"],
    [0.00001, "< 0.001 B"],
    [2 ** 70, "1048576 PB"],
    [Number.NaN, "?"],
    [Number.POSITIVE_INFINITY, "?"],
  ])("%d is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test("is within 5 % of the number it stands for", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e17, noNaN: true }), (bytes) => {
        const [digits = "", unit = ""] = formatBytes(bytes).split(" ");
        const read = Number(digits) * 1024 ** ["B", "KB", "MB", "GB", "TB", "PB"].indexOf(unit);
        expect(Math.abs(read - bytes) / bytes).toBeLessThan(0.05);
      }),
    );
  });
});

describe("rates", () => {
  test("a rate is a size per second", () => {
    expect(formatRate(1229)).toBe("1.2 KB/s");
    expect(formatRate(Number.NaN)).toBe("?");
  });

  test("the interval is in the unit of the rate", () => {
    expect(formatRateInterval({ rate: 1229, rateLow: 922, rateHigh: 1536 })).toBe(
      "1.2 KB/s (0.9 to 1.5)",
    );
    expect(formatRateInterval({ rate: 3.8, rateLow: 3.75, rateHigh: 3.91 })).toBe(
      "3.8 B/s (3.8 to 3.9)",
    );
  });

  test("a rate without an interval stands alone", () => {
    expect(formatRateInterval({ rate: 10, rateLow: Number.NaN, rateHigh: 12 })).toBe("10 B/s");
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0 s"],
    [0.04, "40 ms"],
    [0.9999, "1 s"],
    [1, "1 s"],
    [2.34, "2.3 s"],
    [9.96, "10 s"],
    [16, "16 s"],
    [59.7, "1 min"],
    [320, "5 min 20 s"],
    [3599.8, "1 h"],
    [7500, "2 h 5 min"],
    [86_399, "1 d"],
    [273_600, "3 d 4 h"],
    [-16, "-16 s"],
    [Number.NaN, "?"],
  ])("%d s is %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe("counts and shares", () => {
  test.each([
    [0, "0"],
    [999, "999"],
    [2114, "2 114"],
    [1_234_567, "1 234 567"],
    [-12_345, "-12 345"],
    [2.6, "3"],
  ])("%d is %s", (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  test("a counted thing is plural unless it is one", () => {
    expect(counted(1, "block")).toBe("1 block");
    expect(counted(0, "block")).toBe("0 blocks");
    expect(counted(2114, "process", "processes")).toBe("2 114 processes");
  });

  test.each([
    [0.96, 0, "96 %"],
    [0.9912, 1, "99.1 %"],
    [0.99999, 1, "99.9 %"],
    [0.99999, 0, "99 %"],
    [1, 1, "100 %"],
    [0, 0, "0 %"],
    [0.0001, 1, "< 0.1 %"],
    [0.0001, 0, "< 1 %"],
    [1.2, 0, "120 %"],
  ] as const)("%d with %d decimals is %s", (share, decimals, text) => {
    expect(formatPercent(share, decimals)).toBe(text);
  });

  test("nothing but ASCII is printed", () => {
    fc.assert(
      fc.property(fc.double(), (n) => {
        for (const text of [
          formatBytes(n),
          formatRate(n),
          formatDuration(n),
          formatCount(n),
          formatPercent(n),
          formatRateInterval({ rate: n, rateLow: n, rateHigh: n }),
        ])
          expect(text).toMatch(/^[ -~]+$/);
      }),
    );
  });
});
