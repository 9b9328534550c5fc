/** A frame in one line: "0x7f7aa7ac4df4:String::AppendString(char const*, unsigned int)". */
import { basename } from "node:path";
import type { Frame } from "../contract/report.js";

/** Stands for the module of code that belongs to none, as generated code. */
const ANONYMOUS = "[anon]";

/**
 * The entry of a stack for `frame`. A function without a name is its place in the module:
 * "0x7f7aa7ac4df4:libfoo.so.1+0x1234".
 */
export function stackLabel(frame: Frame): string {
  return `${frame.address}:${frame.function ?? placeOf(frame)}`;
}

function placeOf(frame: Frame): string {
  const name = frame.module === "" ? ANONYMOUS : basename(frame.module);
  return `${name}+${frame.offset}`;
}
