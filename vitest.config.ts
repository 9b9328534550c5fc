// How the tests run: unit tests beside their source, end-to-end tests under test/.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Reached only when something hangs, also on a machine that does ten other things.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    retry: 0,
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["src/**/*.test.ts", "tools/**/*.test.mjs"] },
      },
      { extends: true, test: { name: "e2e", include: ["test/**/*.test.ts"] } },
    ],
  },
});
