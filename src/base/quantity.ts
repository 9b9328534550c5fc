/** How people type times and sizes: the only place that reads them, as `format.ts` is the only one that prints them. */

const SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  "": 1,
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86_400,
};

const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
};

/** Plain decimal digits and a unit; no sign, exponent, or hexadecimal, which are slips of the pen here. */
const QUANTITY = /^(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)$/;

function parse(text: string, units: Readonly<Record<string, number>>): number | null {
  const match = QUANTITY.exec(text.trim());
  const unit = units[match?.[2] ?? ""];
  if (match === null || unit === undefined) return null;
  const value = Number(match[1]) * unit;
  return Number.isFinite(value) ? value : null;
}

/**
 * A time as typed, in seconds: `500ms`, `20` (seconds), `5m`, `2h`, `1d`; null when it isn't one.
 * @example
 * parseDuration("5m"); // 300
 */
export const parseDuration = (text: string): number | null => parse(text, SECONDS);

/**
 * A size as typed, in bytes: `4096`, `64K`, `1M`, `2G` (powers of two); null when it isn't one.
 * @example
 * parseSize("64K"); // 65536
 */
export const parseSize = (text: string): number | null =>
  parse(text.replace(/(?<=[KMG])(?:i?B)$/i, "").toUpperCase(), BYTES);
