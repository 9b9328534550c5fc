/** Values of options, from text to what they mean; each refusal is one sentence. */
import { edleakError } from "../base/edleak-error.js";
import { formatDuration } from "../base/format.js";
import { parseDuration } from "../base/quantity.js";
import { type OptionSpec, RUN_OPTIONS, type RunOptions } from "../contract/options.js";

/** What the parser collected: text by option name, true for flags. */
type Given = Readonly<Record<string, unknown>>;

/** `/dev/stdout` and its other names are "-" to us: stdout is the target's. */
const STDOUT = /^(-|\/dev\/stdout|\/dev\/fd\/1|\/proc\/self\/fd\/1)$/;

function text(given: Given, name: keyof typeof RUN_OPTIONS): string | null {
  const value = given[name];
  if (typeof value !== "string") return null;
  const spec: OptionSpec = RUN_OPTIONS[name];
  // "--json --quiet": the value was forgotten; a file of that name can be given as "./--quiet".
  if (value === "" || value.startsWith("--")) {
    throw edleakError("VALUE_MISSING", spec.flag, `a ${spec.placeholder.toLowerCase()}`);
  }
  return value;
}

function duration(given: Given, name: "period" | "duration" | "grace"): number | null {
  const typed = text(given, name);
  if (typed === null) return null;
  const { flag, value } = RUN_OPTIONS[name];
  const seconds = parseDuration(typed);
  if (seconds === null || seconds < value.least || seconds > value.most) {
    const wanted = `${formatDuration(value.least)} to ${formatDuration(value.most)}`;
    throw edleakError("VALUE_REFUSED", flag, typed, wanted);
  }
  return seconds;
}

function output(given: Given, name: "json" | "report"): string | null {
  const path = text(given, name);
  if (path !== null && STDOUT.test(path)) {
    throw edleakError("STDOUT_IS_THE_TARGETS", RUN_OPTIONS[name].flag);
  }
  return path;
}

function failOn(given: Given): RunOptions["failOn"] {
  const typed = text(given, "failOn");
  if (typed === null || typed === "likely" || typed === "confirmed") return typed;
  const { flag, value } = RUN_OPTIONS.failOn;
  throw edleakError("CHOICE_REFUSED", flag, typed, value.choices.join(" or "));
}

/** Checks the options of `run`, each alone and together; throws an EdLeakError. */
export function readRunOptions(given: Given): RunOptions {
  const period = duration(given, "period") ?? 1;
  const length = duration(given, "duration");
  if (length !== null && length < period) {
    throw edleakError("DURATION_TOO_SHORT", formatDuration(length), formatDuration(period));
  }
  return {
    period,
    duration: length,
    grace: duration(given, "grace") ?? 0,
    json: output(given, "json"),
    report: output(given, "report"),
    failOn: failOn(given),
    quiet: given.quiet === true,
    force: given.force === true,
  };
}
