/** The files that name a module's functions: its own, verified by build id, and its debug file. */
import type { ModuleInfo } from "../contract/slice.js";
import type { ElfRefusal } from "./byte-source.js";
import { debugFolders, findDebugFile } from "./debug-file.js";
import { type ElfFile, findSection, openElf } from "./elf-file.js";
import { readBuildId } from "./elf-notes.js";
import { type SymbolMatch, SymbolTable } from "./elf-symbols.js";
import type { LineFile } from "./line-tier.js";
import { modulePaths } from "./module-paths.js";

export interface ImageOptions {
  /** A live process that has the module mapped; its files are reached through /proc. */
  readonly pid: number | null;
  readonly debugRoots: readonly string[];
}

export const CHANGED = "file changed on disk";

/** Open files of one module. Its owner calls `close` once. */
export class ModuleImage {
  /** Why the module's own file is not used, as in "file changed on disk"; null when it is. */
  readonly note: string | null;
  readonly #files: readonly ElfFile[];
  readonly #tables: readonly SymbolTable[];
  readonly #lines: ElfFile | null;
  readonly #preferred: readonly string[];

  private constructor(files: {
    readonly path: string;
    readonly note: string | null;
    readonly image: ElfFile | null;
    readonly debug: ElfFile | null;
  }) {
    const { path, note, image, debug } = files;
    this.note = note;
    this.#files = [image, debug].filter((file) => file !== null);
    this.#tables = tablesOf(image, debug);
    this.#lines = this.#files.find(hasLines) ?? null;
    this.#preferred = this.#lines !== null && this.#lines === image ? [path] : [];
  }

  /** Opens what can be found and believed; never rejects. */
  static async open(module: ModuleInfo, options: ImageOptions): Promise<ModuleImage> {
    const { paths, root, deleted } = modulePaths(module, options.pid);
    const { image, note } = openImage(paths, module.buildId, deleted);
    if (image !== null && hasLines(image) && findSection(image, ".symtab") !== undefined) {
      return new ModuleImage({ path: module.path, note, image, debug: null });
    }
    const debug = await findDebugFile({
      buildId: module.buildId,
      image,
      folders: debugFolders(module.path, root),
      roots: [
        ...(root === "" ? [] : options.debugRoots.map((r) => root + r)),
        ...options.debugRoots,
      ],
    });
    return new ModuleImage({ path: module.path, note, image, debug });
  }

  /** False once a file was overwritten in place: nothing more is believed then. */
  isIntact(): boolean {
    return this.#files.every((file) => file.source.isIntact());
  }

  /** The function at a virtual address of the module's file. */
  find(address: number): SymbolMatch | null {
    let nearest: SymbolMatch | null = null;
    for (const table of this.#tables) {
      const match = table.find(address);
      if (match?.exact) return match;
      nearest ??= match;
    }
    return nearest;
  }

  /** The file with debug lines, for a line tool; null when there is none. */
  lineFile(): LineFile | null {
    const source = this.#lines?.source;
    if (source === undefined) return null;
    const path = source.pathForOthers(this.#preferred);
    // Line tools take one request per line, and none agrees with another on quoting.
    const isPlain = /^[\w/.+,:=@%~ -]+$/.test(path);
    return { path: isPlain ? path : source.descriptorPath(), identity: source.identity };
  }

  close(): void {
    for (const file of this.#files) file.source.close();
  }
}

function openImage(
  paths: readonly string[],
  buildId: string,
  deleted: boolean,
): { readonly image: ElfFile | null; readonly note: string | null } {
  let note: string | null = deleted ? CHANGED : null;
  for (const path of paths) {
    const opened = openElf(path);
    if (opened.ok && readBuildId(opened.value) === buildId) {
      return { image: opened.value, note: null };
    }
    if (opened.ok) {
      opened.value.source.close();
      note = CHANGED;
    } else if (note !== CHANGED) {
      note = describe(opened.reason);
    }
  }
  return { image: null, note: note ?? "file not known" };
}

function describe(reason: ElfRefusal): string {
  switch (reason.tag) {
    case "unreadable":
      return reason.code === "ENOENT" ? "file not found" : `file not readable (${reason.code})`;
    case "not-a-file":
    case "not-elf":
    case "foreign":
      return CHANGED;
    case "damaged":
    case "too-large":
      return `file not readable (${reason.tag} ${reason.what})`;
  }
}

/** Best first: all functions, from either file, before the exported ones. */
function tablesOf(image: ElfFile | null, debug: ElfFile | null): readonly SymbolTable[] {
  const tables: SymbolTable[] = [];
  const places: readonly [ElfFile | null, string][] = [
    [image, ".symtab"],
    [debug, ".symtab"],
    [image, ".dynsym"],
  ];
  for (const [file, name] of places) {
    const section = file === null ? undefined : findSection(file, name);
    if (file === null || section === undefined) continue;
    const table = SymbolTable.read(file, section);
    if (table.ok) tables.push(table.value);
  }
  return tables;
}

function hasLines(file: ElfFile): boolean {
  return [".debug_info", ".zdebug_info"].some((name) => findSection(file, name) !== undefined);
}
