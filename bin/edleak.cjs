"use strict";

// What Node starts: refuses a Node that is too old, in syntax that old ones know, and only then loads
// edleak, which they could not even read.

const OLDEST = [20, 19];

const version = process.versions.node;
const parts = version.split(".").map(Number);
const isTooOld = parts[0] < OLDEST[0] || (parts[0] === OLDEST[0] && parts[1] < OLDEST[1]);

if (isTooOld) {
  const wanted = `${OLDEST.join(".")} or newer (https://nodejs.org)`;
  process.stderr.write(`edleak: Node is ${version} and must be ${wanted}\n`);
  process.exit(125);
}
require("./load.cjs");
