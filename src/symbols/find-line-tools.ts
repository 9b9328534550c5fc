/** Which line tools are installed: llvm-symbolizer under any of its names, addr2line. */
import { accessSync, constants, readdirSync } from "node:fs";
import { join } from "node:path";

/** Paths of the programs; null when not found. */
export interface LineToolPaths {
  readonly llvmSymbolizer: string | null;
  readonly addr2line: string | null;
}

/**
 * Looks in the folders of `searchPath` (default: PATH) for `llvm-symbolizer`, else the newest
 * `llvm-symbolizer-NN`, and for `addr2line`.
 */
export function findLineTools(searchPath: string = process.env.PATH ?? ""): LineToolPaths {
  const folders = searchPath.split(":").filter((folder) => folder.startsWith("/"));
  return {
    llvmSymbolizer: findProgram(folders, "llvm-symbolizer") ?? findNewest(folders),
    addr2line: findProgram(folders, "addr2line"),
  };
}

function findNewest(folders: readonly string[]): string | null {
  const versions = folders.flatMap((folder) =>
    namesIn(folder).flatMap((name) => {
      const version = /^llvm-symbolizer-(\d+)$/.exec(name)?.[1];
      return version === undefined ? [] : [{ version: Number(version), path: join(folder, name) }];
    }),
  );
  versions.sort((a, b) => b.version - a.version);
  return versions.find(({ path }) => isExecutable(path))?.path ?? null;
}

function findProgram(folders: readonly string[], name: string): string | null {
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
