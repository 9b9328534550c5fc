// What a machine that can't build edleak is told: one sentence, with the way out.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "./process.mjs";

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edleak setup "));
});
afterEach(() => rmSync(folder, { recursive: true }));

function setup(nodeOptions, env) {
  return spawnSync(process.execPath, [...nodeOptions, join(root, "tools/setup.mjs")], {
    env: { HOME: folder, ...env },
    encoding: "utf8",
  });
}

/** A program that pretends to be there and work. */
const link = (name) => symlinkSync("/bin/true", join(folder, name));

test("without compiler and make, one sentence says so and names the packages", () => {
  link("npm");
  const { status, stdout, stderr } = setup([], { PATH: folder });
  expect(stderr).toBe(
    "Cannot set up edleak: this machine has no C compiler with the C library's headers (cc) and no make; " +
      "on Debian or Ubuntu: sudo apt-get install -y gcc libc6-dev make\n",
  );
  expect(stdout).toBe("");
  expect(status).toBe(1);
});

test("without npm, one sentence says so", () => {
  link("cc");
  link("make");
  const { status, stderr } = setup([], { PATH: folder });
  expect(stderr).toBe(
    "Cannot set up edleak: this machine has no npm; on Debian or Ubuntu: sudo apt-get install -y npm\n",
  );
  expect(status).toBe(1);
});

test.each(["18.20.8", "20.18.3"])("Node %s is refused in one sentence", (version) => {
  const disguise = join(folder, "disguise.cjs");
  writeFileSync(
    disguise,
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } });`,
  );
  const { status, stderr } = setup(["--require", disguise], { PATH: folder });
  expect(stderr).toMatch(
    new RegExp(`^Cannot set up edleak: Node is ${version} and must be 20\\.19 or newer: .+\\n$`),
  );
  expect(status).toBe(1);
});
