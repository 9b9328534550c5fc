/**
 * The separate debug file of a module: by build id (/usr/lib/debug/.build-id/ab/cdef.debug), else by
 * .gnu_debuglink beside the module, in its .debug folder, or under a debug root.
 *
 * A file is believed only when it has the module's build id; one without a build id only when its
 * CRC-32 is the one the module asks for. By debuglink both are asked.
 */
import { basename, dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { ByteSource } from "./byte-source.js";
import { type ElfFile, findSection, openElf } from "./elf-file.js";
import { readBuildId } from "./elf-notes.js";

export interface DebugSearch {
  /** The module's recorded build id, "" when it has none. */
  readonly buildId: string;
  /** The module's own file, when it could be read and believed. */
  readonly image: ElfFile | null;
  /** Folders in which the module lies: as the target sees it and as we do. */
  readonly folders: readonly string[];
  /** Debug roots, such as /usr/lib/debug. */
  readonly roots: readonly string[];
}

const DEBUGLINK_LIMIT_BYTES = 4096;
const CHUNK_BYTES = 1024 * 1024;

/** Opens the debug file, or null. The caller closes it. */
export async function findDebugFile(search: DebugSearch): Promise<ElfFile | null> {
  return findByBuildId(search) ?? (await findByDebuglink(search));
}

function findByBuildId({ buildId, roots }: DebugSearch): ElfFile | null {
  if (!/^[0-9a-f]{4,128}$/.test(buildId)) return null;
  const name = join(".build-id", buildId.slice(0, 2), `${buildId.slice(2)}.debug`);
  for (const root of roots) {
    const file = openWithBuildId(join(root, name), buildId);
    if (file !== null) return file;
  }
  return null;
}

async function findByDebuglink(search: DebugSearch): Promise<ElfFile | null> {
  const link = search.image === null ? null : readDebuglink(search.image);
  if (link === null) return null;
  for (const path of debuglinkPaths(search, link.name)) {
    const file = openWithBuildId(path, search.buildId);
    if (file === null) continue;
    if ((await crcOf(file.source)) === link.crc) return file;
    file.source.close();
  }
  return null;
}

function debuglinkPaths({ folders, roots }: DebugSearch, name: string): readonly string[] {
  return folders.flatMap((folder) => [
    join(folder, name),
    join(folder, ".debug", name),
    ...roots.map((root) => join(root, folder, name)),
  ]);
}

function openWithBuildId(path: string, buildId: string): ElfFile | null {
  const opened = openElf(path);
  if (!opened.ok) return null;
  if (readBuildId(opened.value) === buildId) return opened.value;
  opened.value.source.close();
  return null;
}

/** The name and CRC-32 in .gnu_debuglink; null when there is none, or none that is a plain name. */
export function readDebuglink(
  file: ElfFile,
): { readonly name: string; readonly crc: number } | null {
  const section = findSection(file, ".gnu_debuglink");
  if (section === undefined || section.size > DEBUGLINK_LIMIT_BYTES) return null;
  const read = file.source.read(section.offset, section.size, ".gnu_debuglink");
  if (!read.ok) return null;
  const end = read.value.indexOf(0);
  const crcAt = Math.ceil((end + 1) / 4) * 4;
  if (end <= 0 || crcAt + 4 > read.value.length) return null;
  const name = read.value.toString("utf8", 0, end);
  if (name !== basename(name) || name === "..") return null;
  return { name, crc: read.value.readUInt32LE(crcAt) };
}

/** CRC-32 of the whole file; yields between pieces, since a debug file may have gigabytes. */
async function crcOf(source: ByteSource): Promise<number | null> {
  let crc = 0;
  for (let at = 0; at < source.size; at += CHUNK_BYTES) {
    const piece = source.readUpTo(at, CHUNK_BYTES, "content");
    if (!piece.ok) return null;
    crc = crc32(piece.value, crc);
    await setImmediate();
  }
  return crc;
}

/** The folders for `DebugSearch` of a module at `path`, seen through the process's `root`. */
export function debugFolders(path: string, root: string): readonly string[] {
  const folder = dirname(path);
  return root === "" ? [folder] : [join(root, folder), folder];
}
