// Writes agent/gen/abi.h and docs/formats/segment.md from src/contract; --check fails when they are stale.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { abiHeader } from "./gen/abi.mjs";
import { segmentDocument } from "./gen/segment-doc.mjs";

const root = new URL("..", import.meta.url);
const check = process.argv.includes("--check");
const outputs = [
  ["agent/gen/abi.h", abiHeader()],
  ["docs/formats/segment.md", segmentDocument()],
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
