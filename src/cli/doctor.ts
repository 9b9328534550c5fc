/** `edleak doctor`: what this machine has and lacks, one line each, problems with advice. */
import { counted } from "../base/format.js";
import { examine, type Finding } from "../session/doctor.js";
import { shown } from "./say.js";
import { toStdout } from "./streams.js";

const LABEL = 9;
const SUBJECT = 11;

function lines({ level, subject, text, advice }: Finding): string {
  const line = `${level.padEnd(LABEL)}${subject.padEnd(SUBJECT)}${shown(text)}\n`;
  return advice === null ? line : `${line}${" ".repeat(LABEL + SUBJECT)}${shown(advice)}\n`;
}

export function doctor(): number {
  const findings = examine();
  const problems = findings.filter(({ level }) => level === "problem").length;
  const end =
    problems === 0
      ? "edleak can be used here.\n"
      : `${counted(problems, "problem")} to solve first.\n`;
  toStdout(`${findings.map(lines).join("")}\n${end}`);
  return problems === 0 ? 0 : 1;
}
