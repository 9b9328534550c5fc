// Counts tests: from vitest's JSON, and from the lines that C test programs print.

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {string[]} failed names
 * @property {string[]} skipped names
 */

/** @returns {Tally} */
export const emptyTally = () => ({ passed: 0, failed: [], skipped: [] });

/** @param {Tally[]} tallies */
export function sum(tallies) {
  return tallies.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: [...total.failed, ...failed],
      skipped: [...total.skipped, ...skipped],
    }),
    emptyTally(),
  );
}

/**
 * The report of vitest's "json" reporter.
 * @param {{ testResults: object[] }} report
 * @param {string} root what the files' paths begin with
 * @returns {Tally}
 */
export function tallyVitest(report, root) {
  const tally = emptyTally();
  for (const file of report.testResults) {
    const path = file.name.replace(`${root}/`, "");
    for (const { status, ancestorTitles, title } of file.assertionResults) {
      const name = [path, ...ancestorTitles, title].join(" > ");
      if (status === "passed") tally.passed++;
      else if (status === "failed") tally.failed.push(name);
      else tally.skipped.push(name);
    }
    // A file that can't be loaded fails without having a test that could.
    const excused = file.assertionResults.some(({ status }) => status === "failed");
    if (file.status === "failed" && !excused) tally.failed.push(path);
  }
  return tally;
}

const LINE = /^(ok|not ok|skip) (\S.*)$/gm;

/**
 * The lines of C test programs: "ok NAME", "not ok NAME: why" or "skip NAME: why", one a test.
 * @param {string} output
 * @returns {Tally}
 */
export function tallyLines(output) {
  const tally = emptyTally();
  for (const [, outcome, name] of output.matchAll(LINE)) {
    if (outcome === "ok") tally.passed++;
    else if (outcome === "skip") tally.skipped.push(name);
    else tally.failed.push(name);
  }
  return tally;
}
