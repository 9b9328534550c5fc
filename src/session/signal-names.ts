/** Names of signal numbers, from the running system. */
import { constants } from "node:os";

const NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.signals)) {
  if (!NAMES.has(number)) NAMES.set(number, name);
}

/** "SIGTERM" for 15; "SIG40" for one without a name. */
export const signalName = (number: number): string => NAMES.get(number) ?? `SIG${number}`;
