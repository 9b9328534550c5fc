/** One line for each program of a run with several processes. */
import { counted } from "../base/format.js";
import type { ProcessReport } from "../contract/report.js";
import { programName } from "./head.js";
import { type Page, section } from "./page.js";
import { isTooShort } from "./too-short.js";

function groupedBy<T>(items: readonly T[], key: (item: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups];
}

const wordFor = (process: ProcessReport): string =>
  isTooShort(process) ? "too short to judge" : process.verdict.state;

/** "node server.js: 4 processes, 3 too short to judge, 1 leaks". */
export function groupLines(page: Page, processes: readonly ProcessReport[]): string[] {
  return groupedBy(processes, (process) => programName(page, process)).flatMap(
    ([program, members]) => {
      const counts = groupedBy(members, wordFor).map(([word, those]) => `${those.length} ${word}`);
      const size = counted(members.length, "process", "processes");
      return section(page, "", "faint", [`${program}: ${size}, ${counts.join(", ")}`]);
    },
  );
}
