// Writes agent/gen/abi.h, docs/formats/segment.md and docs/formats/hooks.md from src/contract and agent/hooks.def; --check fails when they are stale.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { abiHeader } from "./gen/abi.mjs";
import { hooksDocument } from "./gen/hooks-doc.mjs";
import { segmentDocument } from "./gen/segment-doc.mjs";

const root = new URL("..", import.meta.url);
const check = process.argv.includes("--check");
const outputs = [
  ["agent/gen/abi.h", abiHeader()],
  ["docs/formats/segment.md", segmentDocument()],
  ["docs/formats/hooks.md", hooksDocument()],
];

let stale = 0;
for (const [path, text] of outputs) {
  const file = fileURLToPath(new URL(path, root));
  let current = "";
  try {
    current = readFileSync(file, "utf8");
  } catch {
    // A missing output is stale.
  }
  if (current === text) continue;
  if (check) {
    console.error(`${path} is stale: run "npm run gen" and commit the result`);
    stale++;
  } else {
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}
process.exit(stale ? 1 : 0);
