/** Test helper: a directory of the test's own, mode 0700, removed when the test has ended. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @param atEnd vitest's onTestFinished, or what else calls back at the end */
export function temporaryDirectory(atEnd: (cleanUp: () => void) => void): string {
  const path = mkdtempSync(join(tmpdir(), "edleak-test-"));
  atEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
