/** What the agent saw of the target's heap, and what it lost. */
import { counted, formatBytes } from "../base/format.js";
import type { Coverage } from "../contract/report.js";
import { LOSSES, type LossName } from "../contract/segment.js";

/** Growth of the target's memory that is worth a word: this much, and this share of what it began with. */
const GROWTH_BYTES = 1024 * 1024;
const GROWTH_SHARE = 0.1;

/** Resident memory over the run. */
export interface Resident {
  /** Bytes at the first and at the newest slice that knew them; null when none did. */
  readonly first: number | null;
  readonly last: number | null;
}

/** What coverage is worked out from. */
export interface Seen {
  readonly events: number;
  readonly losses: Readonly<Partial<Record<LossName, number>>>;
  readonly liveBytes: number;
  readonly resident: Resident;
}

/**
 * Bytes by which resident memory grew beyond what the live blocks can account for; 0 when it did not grow
 * noticeably or is not known.
 */
export function unseenGrowth({ resident: { first, last }, liveBytes }: Seen): number {
  if (first === null || last === null) return 0;
  const growth = last - Math.max(first, liveBytes);
  return growth >= Math.max(GROWTH_BYTES, GROWTH_SHARE * first) ? growth : 0;
}

/**
 * The heap's size is not measured: the share of events that were counted stands for the share of bytes.
 * Events on allocer 0 were counted, only not attributed.
 */
function seenShare(events: number, lostEvents: number, unattributed: number): number | null {
  if (events === 0) return null;
  return events / (events + Math.max(0, lostEvents - unattributed));
}

/** Losses, share seen, and sentences about what is not seen. */
export function coverageOf(seen: Seen): Coverage {
  const lost: Partial<Record<LossName, number>> = {};
  let lostEvents = 0;
  for (const { name, harmless } of LOSSES) {
    const count = seen.losses[name] ?? 0;
    if (count === 0) continue;
    lost[name] = count;
    if (!harmless) lostEvents += count;
  }
  const notes: string[] = [];
  const growth = unseenGrowth(seen);
  if (growth > 0)
    notes.push(
      `Resident memory grew by ${formatBytes(growth)} that live blocks do not account for: memory outside malloc, or freed blocks that malloc keeps`,
    );
  const { unattributed = 0 } = seen.losses;
  if (unattributed > 0)
    notes.push(`${counted(unattributed, "allocation")} could not be told apart by caller`);
  return {
    seen: seenShare(seen.events, lostEvents, unattributed),
    lost,
    lostEvents,
    events: seen.events,
    notes,
  };
}
