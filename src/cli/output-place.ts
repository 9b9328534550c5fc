/**
 * Where the name of an output leads: to a file, which is replaced, or to a stream, which is written in
 * place. Links are followed, also to a file that isn't there yet, but not through a descriptor
 * (/dev/stderr, /dev/fd/N, /proc/PID/fd/N): a file behind one is shared with others who write to it, and
 * to rename over it would lose what they wrote.
 */
import { readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { absolutePath } from "../session/working-folder.js";

/** `path` is absolute, and the same for all names of one thing. */
export type Place =
  | { readonly kind: "file"; readonly path: string }
  /** A terminal, pipe or device, or a pipe of another process. */
  | { readonly kind: "stream"; readonly path: string }
  | { readonly kind: "stderr"; readonly path: string }
  /** The target's. */
  | { readonly kind: "stdout"; readonly path: string }
  | { readonly kind: "refused"; readonly path: string; readonly why: string };

/** Links to follow before it is called a loop, as in the kernel. */
const MOST_LINKS = 40;

const DESCRIPTOR = /^\/proc\/(\d+)(?:\/task\/\d+)?\/fd\/(\d+)$/;

/** Follows the name; throws NO_WORKING_FOLDER. */
export function findPlace(name: string): Place {
  let path = withRealFolder(absolutePath(name));
  for (let links = 0; links < MOST_LINKS && !DESCRIPTOR.test(path); links++) {
    try {
      path = withRealFolder(resolve(dirname(path), readlinkSync(path)));
    } catch {
      break; // no link, or nothing there
    }
  }
  const descriptor = DESCRIPTOR.exec(path);
  return descriptor ? behindDescriptor(path, descriptor) : inFileSystem(path);
}

function inFileSystem(path: string): Place {
  const state = stateOf(path);
  if (state?.isDirectory()) return { kind: "refused", path, why: "it is a directory" };
  return { kind: state === null || state.isFile() ? "file" : "stream", path };
}

/** Our own are those of the shell that started us; beyond stderr the host has none of them. */
function behindDescriptor(path: string, [, pid, number]: readonly string[]): Place {
  const own = Number(pid) === process.pid;
  if (own && number === "1") return { kind: "stdout", path };
  if (own && number === "2") return { kind: "stderr", path: `/proc/${pid}/fd/2` };
  if (own) return { kind: "refused", path, why: "edleak has no descriptor but stderr" };
  const state = stateOf(path);
  if (state === null)
    return {
      kind: "refused",
      path,
      why: "there is no such descriptor, or no permission to see it",
    };
  // Ours would be a second place in the file: what that process writes later would overwrite ours.
  if (state.isFile() || state.isDirectory()) {
    return { kind: "refused", path, why: "it is an open file of another process" };
  }
  return { kind: "stream", path };
}

/** The path with the links in its folder followed; the path itself where that folder isn't there. */
function withRealFolder(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}

/** null when nothing is there, or nothing can be. */
function stateOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}
