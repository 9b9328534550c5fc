/**
 * How numbers look in everything people read: the only place that prints sizes, rates, times, counts and shares.
 *
 * Sizes are in powers of two (1 KB = 1024 B), as engineers read memory. The output is plain ASCII with
 * ordinary spaces, so that it may stand in JSON, be searched for, and be shown on any terminal; who
 * breaks lines must keep a number with its unit (report/wrap.ts does).
 */

const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;
const BYTE_STEP = 1024;

/** What is printed where a number is not one. */
const NOT_A_NUMBER = "?";

/** Removes a decimal part that says nothing: "61.0" is "61". */
const withoutZeros = (digits: string): string =>
  digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;

/** At least two significant digits, at most one decimal from 1 on: 0.052, 0.4, 1.2, 61.3, 212. */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 99.95) return String(Math.round(value));
  if (size >= 0.95) return withoutZeros(value.toFixed(1));
  if (size < 0.001) return value > 0 ? "< 0.001" : "> -0.001";
  return withoutZeros(Number(value.toPrecision(2)).toFixed(4));
}

/** The unit a size is best read in: index into BYTE_UNITS. 1023.97 KB is shown as 1 MB, not as 1024 KB. */
function byteUnit(bytes: number): number {
  let size = Math.abs(bytes);
  let unit = 0;
  while (unit < BYTE_UNITS.length - 1 && Math.round(size) >= BYTE_STEP) {
    size /= BYTE_STEP;
    unit++;
  }
  return unit;
}

/**
 * A number of bytes: "76 B", "1.2 KB", "61 MB"; powers of two.
 * @example
 * formatBytes(1229); // "1.2 KB"
 */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return NOT_A_NUMBER;
  const unit = byteUnit(bytes);
  return `${shortNumber(bytes / BYTE_STEP ** unit)} ${BYTE_UNITS[unit]}`;
}

/**
 * Bytes per second: "1.2 KB/s".
 * @example
 * formatRate(1229); // "1.2 KB/s"
 */
export const formatRate = (bytesPerSecond: number): string =>
  Number.isFinite(bytesPerSecond) ? `${formatBytes(bytesPerSecond)}/s` : NOT_A_NUMBER;

/**
 * A rate with its interval, all three numbers in the unit of the rate: "1.2 KB/s (0.9 to 1.5)".
 * Without an interval (a bound that is not a number) only the rate is given.
 * @example
 * formatRateInterval({ rate: 1229, rateLow: 922, rateHigh: 1536 }); // "1.2 KB/s (0.9 to 1.5)"
 */
export function formatRateInterval(of: {
  readonly rate: number;
  readonly rateLow: number;
  readonly rateHigh: number;
}): string {
  if (!Number.isFinite(of.rateLow) || !Number.isFinite(of.rateHigh)) return formatRate(of.rate);
  const scale = BYTE_STEP ** byteUnit(of.rate);
  const [low, high] = [of.rateLow, of.rateHigh].map((bound) => shortNumber(bound / scale));
  return `${formatRate(of.rate)} (${low} to ${high})`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "5 min 20 s": a bigger and a smaller unit, the smaller one left out when it is 0. */
function twoUnits(seconds: number, big: number, bigName: string, small: number, name: string) {
  const count = Math.round(seconds / small);
  const perBig = big / small;
  const rest = count % perBig;
  const head = `${formatCount(Math.floor(count / perBig))} ${bigName}`;
  return rest === 0 ? head : `${head} ${rest} ${name}`;
}

/**
 * A length of time given in seconds: "40 ms", "16 s", "5 min 20 s", "2 h 5 min", "3 d 4 h".
 * @example
 * formatDuration(320); // "5 min 20 s"
 */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return NOT_A_NUMBER;
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds === 0) return "0 s";
  if (seconds < 0.9995) return `${shortNumber(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${shortNumber(seconds)} s`;
  if (Math.round(seconds) < MINUTE) return `${Math.round(seconds)} s`;
  if (Math.round(seconds) < HOUR) return twoUnits(seconds, MINUTE, "min", 1, "s");
  if (Math.round(seconds / MINUTE) * MINUTE < DAY)
    return twoUnits(seconds, HOUR, "h", MINUTE, "min");
  return twoUnits(seconds, DAY, "d", HOUR, "h");
}

/**
 * A number of things, in groups of three digits: "2 114". Rounded to a whole number.
 * @example
 * formatCount(2114); // "2 114"
 */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return NOT_A_NUMBER;
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, " ");
}

/**
 * A number of things with their name: "1 block", "2 114 blocks". `many` is needed only where it isn't `one` + "s".
 * @example
 * counted(3, "process", "processes"); // "3 processes"
 */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${Math.round(count) === 1 ? one : many}`;

/**
 * A share from 0 to 1 in per cent: "96 %", with one decimal "99.1 %". Only all is "100 %" and only nothing
 * is "0 %": 0.9999 is "99 %", or "99.9 %".
 * @example
 * formatPercent(0.9912, 1); // "99.1 %"
 */
export function formatPercent(share: number, decimals: 0 | 1 = 0): string {
  if (!Number.isFinite(share)) return NOT_A_NUMBER;
  if (share === 0 || share === 1) return `${share * 100} %`;
  const least = 1 / 10 ** decimals;
  const value = Number((share * 100).toFixed(decimals));
  if (share < 1 && value >= 100) return `${100 - least} %`;
  if (share > 0 && value <= 0) return `< ${least} %`;
  return `${value.toFixed(decimals)} %`;
}
