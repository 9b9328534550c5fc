/** Facts of a process from /proc: who it is, whether it is dead, what it holds in memory. */
import { readFileSync, readlinkSync } from "node:fs";

/** What names a process for ever: a pid alone is used again. */
export interface ProcessIdentity {
  /** Process id as the process sees itself. */
  readonly pid: number;
  /** Clock ticks after boot, /proc/PID/stat field 22. */
  readonly startTime: number;
  /** Inode of its pid namespace. */
  readonly pidNamespace: number;
  /** The kernel's boot id. */
  readonly bootId: string;
}

const PROC = "/proc";

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null;
  }
}

/** Start time from the text of /proc/PID/stat; the name in parentheses may hold spaces and parentheses. */
export function parseStartTime(stat: string): number | null {
  const afterName = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(afterName[19]);
  return afterName.length > 19 && Number.isSafeInteger(ticks) ? ticks : null;
}

/** Start time of a process, null when there is none with this pid (or /proc hides it). */
export function startTimeOf(pid: number, proc = PROC): number | null {
  const stat = read(`${proc}/${pid}/stat`);
  return stat === null ? null : parseStartTime(stat);
}

/** Inode of a process's pid namespace, null when not known. */
export function pidNamespaceOf(pid: number | "self", proc = PROC): number | null {
  try {
    const inode = /^pid:\[(\d+)\]$/.exec(readlinkSync(`${proc}/${pid}/ns/pid`))?.[1];
    return inode === undefined ? null : Number(inode);
  } catch {
    return null;
  }
}

/** The kernel's boot id, "" when not known. */
const bootIdOf = (proc = PROC): string => (read(`${proc}/sys/kernel/random/boot_id`) ?? "").trim();

/** This process, null without a usable /proc. */
export function selfIdentity(proc = PROC): ProcessIdentity | null {
  const startTime = startTimeOf(process.pid, proc);
  const pidNamespace = pidNamespaceOf("self", proc);
  if (startTime === null || pidNamespace === null) return null;
  return { pid: process.pid, startTime, pidNamespace, bootId: bootIdOf(proc) };
}

/**
 * Is this process surely dead? Only when it is of an earlier boot, or of our own pid namespace and no
 * process has its pid and start time. What can't be seen (another namespace, no /proc) is not dead.
 */
export function isDead(identity: ProcessIdentity, proc = PROC): boolean {
  const bootId = bootIdOf(proc);
  if (bootId !== "" && identity.bootId !== "" && bootId !== identity.bootId) return true;
  if (pidNamespaceOf("self", proc) !== identity.pidNamespace) return false;
  // With hidepid our own entry is visible and others' aren't: signal 0 asks the kernel itself.
  const startTime = startTimeOf(identity.pid, proc);
  if (startTime !== null) return startTime !== identity.startTime;
  return read(`${proc}/self/stat`) !== null && !exists(identity.pid);
}

/** Does any process have this pid? EPERM means yes, of another user. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Resident bytes of a process of our own pid namespace, null when not known. */
export function residentBytesOf(
  identity: Pick<ProcessIdentity, "pid" | "startTime" | "pidNamespace">,
  proc = PROC,
): number | null {
  if (pidNamespaceOf("self", proc) !== identity.pidNamespace) return null;
  if (startTimeOf(identity.pid, proc) !== identity.startTime) return null;
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(read(`${proc}/${identity.pid}/status`) ?? "")?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
