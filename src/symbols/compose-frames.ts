/** Requests to look-ups, and what was found to the contract's frames: pure. */
import type { Frame } from "../contract/report.js";
import type { ModuleInfo } from "../contract/slice.js";
import type { Place } from "./module-frames.js";

export interface SymbolRequest {
  /** null: memory that belongs to no module. */
  readonly module: ModuleInfo | null;
  readonly address: bigint;
}

/** The requests of one module. */
export interface RequestGroup {
  readonly module: ModuleInfo;
  readonly members: readonly {
    /** Which request. */
    readonly index: number;
    /** Virtual address in the module's file to look up. */
    readonly address: number;
  }[];
}

export const UNKNOWN: Place = { function: null, file: null, line: null };

/** One module's files, by what identifies them. */
export const moduleKey = (module: ModuleInfo): string => `${module.buildId} ${module.path}`;

/**
 * Groups what can be looked up by module. Left out: requests without a module, addresses outside
 * their module, and the vdso, which is no file.
 * @param back bytes before the address that are looked up: 1 for return addresses, which may be the
 *   first byte after the function when the call never returns
 */
export function groupByModule(
  requests: readonly SymbolRequest[],
  back: bigint,
): readonly RequestGroup[] {
  const groups = new Map<
    string,
    RequestGroup & { members: { index: number; address: number }[] }
  >();
  for (const [index, { module, address }] of requests.entries()) {
    if (module === null || module.flags.vdso) continue;
    const at = address - back;
    if (at < module.start || at >= module.end) continue;
    const virtual = at - module.bias;
    if (virtual < 0n || virtual > BigInt(Number.MAX_SAFE_INTEGER)) continue;
    const key = moduleKey(module);
    const group = groups.get(key) ?? { module, members: [] };
    group.members.push({ index, address: Number(virtual) });
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The frames of one address, from its places: all but the last are inlined calls. */
export function composeFrames(
  { module, address }: SymbolRequest,
  places: readonly Place[],
): readonly Frame[] {
  const offset = module === null ? address : BigInt.asUintN(64, address - module.bias);
  return places.map((place, i) => ({
    address: hex(address),
    module: module?.path ?? "",
    buildId: module?.buildId ?? "",
    offset: hex(offset),
    ...(place.function === null ? {} : { function: place.function }),
    ...(place.file === null ? {} : { file: place.file }),
    ...(place.line === null ? {} : { line: place.line }),
    inlined: i < places.length - 1,
  }));
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
