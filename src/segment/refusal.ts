/** Why a segment is not read: a tagged reason for code, and its sentence for people. */

export type Refusal =
  /** Not a regular file, or its first bytes are not those of a segment. */
  | { readonly kind: "notASegment"; readonly why: string }
  /** Agent and host were built from different layouts. */
  | {
      readonly kind: "wrongVersion";
      readonly agentLayout: number;
      readonly hostLayout: number;
      /** Version the agent gives itself; may be empty. */
      readonly agentVersion: string;
    }
  /** The agent is still making it: try again. */
  | { readonly kind: "notReady" }
  /** Belongs to another user. */
  | { readonly kind: "wrongOwner"; readonly uid: number; readonly expected: number }
  /** A field contradicts the layout, the file's size, or what it said before. */
  | { readonly kind: "badLayout"; readonly field: string }
  /** No such file, or no longer. */
  | { readonly kind: "gone" }
  /** The system refused; the code is errno's name. */
  | { readonly kind: "io"; readonly code: string };

/**
 * The reason in words, to stand behind "Cannot read the segment ...: ".
 * @example
 * describeRefusal({ kind: "gone" }); // "it no longer exists"
 */
export function describeRefusal(refusal: Refusal): string {
  switch (refusal.kind) {
    case "notASegment":
      return `it is not a segment: ${refusal.why}`;
    case "wrongVersion": {
      const agent = refusal.agentVersion === "" ? "the agent" : `agent ${refusal.agentVersion}`;
      return `${agent} writes layout version ${refusal.agentLayout}, this host reads version ${refusal.hostLayout}`;
    }
    case "notReady":
      return "the agent is still making it";
    case "wrongOwner":
      return `it belongs to user ${refusal.uid}, not to user ${refusal.expected}`;
    case "badLayout":
      return `its field "${refusal.field}" makes no sense`;
    case "gone":
      return "it no longer exists";
    case "io":
      return refusal.code === "EACCES" || refusal.code === "EPERM"
        ? "no permission (is it another user's? run as root)"
        : `the system says ${refusal.code}`;
  }
}

/** What a failed system call on a segment means. */
export function refusalOf(error: unknown): Refusal {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? "unknown";
  if (code === "ENOENT" || code === "ENOTDIR") return { kind: "gone" };
  if (code === "ELOOP") return { kind: "notASegment", why: "it is a symbolic link" };
  if (code === "ENXIO") return { kind: "notASegment", why: "it is not a regular file" };
  return { kind: "io", code };
}
