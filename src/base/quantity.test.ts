// Times and sizes as people type them, and what is not one.
import { describe, expect, test } from "vitest";
import { parseDuration, parseSize } from "./quantity.js";

describe("parseDuration", () => {
  test.each([
    ["500ms", 0.5],
    ["20", 20],
    ["20s", 20],
    ["5m", 300],
    ["5min", 300],
    ["2h", 7200],
    ["1d", 86_400],
    ["0.25", 0.25],
    [".5s", 0.5],
    ["1.5 h", 5400],
    ["0", 0],
  ])("reads %j as %d seconds", (text, seconds) => {
    expect(parseDuration(text)).toBeCloseTo(seconds, 9);
  });

  test.each([
    "",
    "NaN",
    "1e9",
    "-1",
    "+1",
    "0x10",
    "5 parsecs",
    "1,5",
    "1h30m",
    "Infinity",
    "s",
    "5M",
  ])("refuses %j", (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});

describe("parseSize", () => {
  test.each([
    ["4096", 4096],
    ["64K", 65_536],
    ["64k", 65_536],
    ["1M", 1_048_576],
    ["1MB", 1_048_576],
    ["1MiB", 1_048_576],
    ["2G", 2_147_483_648],
    ["0.5K", 512],
  ])("reads %j as %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(["", "K", "-1K", "1e6", "64 parsecs", "1T5"])("refuses %j", (text) => {
    expect(parseSize(text)).toBeNull();
  });
});
