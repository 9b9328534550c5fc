/** Test helper: a fake agent's segment with an owner, and slices as plain rows. */
import { join } from "node:path";
import type { Slice } from "../../contract/slice.js";
import { type OpenSegment, openSegment } from "../open-segment.js";
import { claimSegment, type SegmentOwner } from "../segment-owner.js";
import { FakeAgent, type FakeIdentity } from "./fake-agent.js";
import { temporaryDirectory } from "./temporary-directory.js";

const NAME = "0123abcd-4711-1234";

export interface Target {
  readonly agent: FakeAgent;
  readonly segment: OpenSegment;
  readonly owner: SegmentOwner;
}

/** A segment with an owner, both ended with the test. */
export function target(atEnd: (cleanUp: () => void) => void, identity: FakeIdentity = {}): Target {
  const agent = new FakeAgent(join(temporaryDirectory(atEnd), NAME), identity);
  const opened = openSegment(agent.path);
  if (!opened.ok) throw new Error(opened.reason.kind);
  const claimed = claimSegment(opened.value, { residentBytes: () => 4096 });
  if (!claimed.ok) throw new Error(claimed.reason.kind);
  atEnd(() => {
    claimed.value.close();
    opened.value.close();
    agent.close();
  });
  return { agent, segment: opened.value, owner: claimed.value };
}

/** Takes a slice; `during` happens between reading and opening the next generation. */
export function take(owner: SegmentOwner, during: () => void = () => {}): Slice {
  const slice = owner.takeSlice(owner.slices, during);
  if (!slice.ok) throw new Error(slice.reason.kind);
  return slice.value;
}

export const births = ({ births: b }: Slice) =>
  [...b.allocer].map((allocer, row) => ({
    allocer,
    birthSlice: b.birthSlice[row],
    blocks: b.blocks[row],
    bytes: b.bytes[row],
    frees: b.frees[row],
    freedBytes: b.freedBytes[row],
  }));

export const oldFrees = ({ oldFrees: o }: Slice) =>
  [...o.allocer].map((allocer, row) => ({
    allocer,
    birthSlice: o.birthSlice[row],
    blocks: o.blocks[row],
    bytes: o.bytes[row],
  }));

export const ages = ({ ages: a }: Slice) =>
  [...a.allocer].map((allocer, row) => ({
    allocer,
    bucket: a.bucket[row],
    blocks: a.blocks[row],
  }));
