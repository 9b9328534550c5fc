// What reading a slice costs the host: 5 000 allocers x 11 threads, by how much of it has changed.
// Run by hand after a build: node bench/segment-read.mjs [allocers] [threads]. Target: < 10 ms per slice.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_CEILINGS, EVIDENCE, LINE } from "../dist/contract/segment.js";
import { claimSegment, openSegment } from "../dist/segment/index.js";
import { FakeAgent } from "../dist/segment/testing/fake-agent.js";

const allocers = Number(process.argv[2] ?? 5000);
const threads = Number(process.argv[3] ?? 11);
const SLICES = 60;
const directory = mkdtempSync("/dev/shm/edleak-bench-");

/** Adds `step` to the first two counters of each `every`th line of the first `shards` shards. */
function allocate(fd, layout, lines, shards, every) {
  for (let i = 0; i < lines.length / 8; i += 8 * every) {
    lines.writeBigUInt64LE(lines.readBigUInt64LE(i * 8) + 1n, i * 8);
    lines.writeBigUInt64LE(lines.readBigUInt64LE(i * 8 + 8) + 48n, i * 8 + 8);
  }
  for (let s = 0; s < shards; s++)
    writeSync(fd, lines, 0, lines.length, layout.lines + s * layout.shardStride);
}

function free(fd, layout, records, every) {
  for (let at = 0; at < records.length; at += EVIDENCE.size * every)
    records.writeUInt32LE(records.readUInt32LE(at) + 1, at);
  writeSync(fd, records, 0, records.length, layout.evidence);
}

function measure(name, { shards, every, evidence, everyFree }) {
  const agent = new FakeAgent(join(directory, "0123abcd-1-1"), {}, DEFAULT_CEILINGS);
  for (let id = 1; id < allocers; id++) agent.issueAllocer([BigInt(id)]);
  const threadList = Array.from({ length: threads }, () => agent.thread());
  for (let id = 0; id < evidence; id++) agent.addEvidence({ allocer: id, bytes: 1 }, 0, 1);
  const opened = openSegment(agent.path);
  const owner = claimSegment(opened.value, { residentBytes: () => null });
  const fd = openSync(agent.path, "r+");
  const lines = Buffer.alloc(allocers * LINE.size);
  const records = agent.get(agent.layout.evidence, evidence * EVIDENCE.size);
  for (const thread of threadList) thread.alloc(0, 1);
  owner.value.takeSlice(0, () => {});
  const costs = [];
  let births = 0;
  for (let slice = 1; slice <= SLICES; slice++) {
    if (every > 0) allocate(fd, agent.layout, lines, shards, every);
    if (everyFree > 0) free(fd, agent.layout, records, everyFree);
    const before = process.cpuUsage();
    const taken = owner.value.takeSlice(slice, () => {});
    const { user, system } = process.cpuUsage(before);
    births += taken.value.births.allocer.length;
    if (slice > 10) costs.push((user + system) / 1000);
  }
  costs.sort((a, b) => a - b);
  const at = (share) => costs[Math.floor(share * (costs.length - 1))].toFixed(2);
  console.log(
    `${name.padEnd(44)} ${at(0.5)} ms median, ${at(0.9)} ms p90, ${Math.round(births / SLICES)} rows`,
  );
  owner.value.close();
  opened.value.close();
  agent.close();
  closeSync(fd);
  rmSync(agent.path);
}

console.log(`${allocers} allocers, ${threads} threads, CPU of the host per slice:`);
try {
  measure("nothing has changed", { shards: 0, every: 0, evidence: 800, everyFree: 0 });
  measure("a tenth in 3 threads, 80 with old frees", {
    shards: 3,
    every: 10,
    evidence: 800,
    everyFree: 10,
  });
  measure("every line, 800 with old frees", {
    shards: threads,
    every: 1,
    evidence: 800,
    everyFree: 1,
  });
  measure("every line, every allocer with old frees", {
    shards: threads,
    every: 1,
    evidence: allocers,
    everyFree: 1,
  });
} finally {
  rmSync(directory, { recursive: true });
}
