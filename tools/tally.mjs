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
    const of = (wanted) =>
      file.assertionResults
        .filter(({ status }) => wanted(status))
        .map(({ ancestorTitles, title }) => [path, ...ancestorTitles, title].join(" > "));
    const failed = of((status) => status === "failed");
    tally.passed += of((status) => status === "passed").length;
    tally.failed.push(...failed);
    // A file whose preparation fails has no test that could: vitest calls them all skipped.
    if (file.status === "failed" && failed.length === 0) tally.failed.push(path);
    else tally.skipped.push(...of((status) => status !== "failed" && status !== "passed"));
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
