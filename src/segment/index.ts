/** Hostile bytes to slices: finds, opens, reads and owns segments. */
export { GenerationPlan } from "./generations.js";
export type { SegmentHeader } from "./header.js";
export { isLockHeld, lockPath, type Owned, releaseLock, takeLock } from "./lock-file.js";
export { type OpenOptions, OpenSegment, openSegment } from "./open-segment.js";
export {
  isDead,
  type ProcessIdentity,
  pidNamespaceOf,
  residentBytesOf,
  selfIdentity,
  startTimeOf,
} from "./process.js";
export { describeRefusal, type Refusal } from "./refusal.js";
export {
  checkSegmentDirectory,
  type DirectoryRefusal,
  describeDirectoryRefusal,
  findSegments,
  removeSegment,
  type SegmentFile,
  segmentDirectory,
} from "./segment-directory.js";
export { claimSegment, type OwnerOptions, SegmentOwner } from "./segment-owner.js";
export { type ReaderOptions, SegmentReader } from "./segment-reader.js";
