import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, uptime } from 'node:os';

/** Process that holds a lock. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
}

/** Content of a lock file. A process ID alone identifies nobody: it is given away again after the process, and the first
 *  process of every container has the number 1. */
export interface LockRecord extends LockHolder {
  /** When the lock was taken: ISO 8601. */
  readonly since: string;
  /** Different for each lock. */
  readonly id: string;
  /** Identifies the time from one boot of the machine to the next: Linux's boot ID or, elsewhere, the second of the boot. */
  readonly boot: string | number;
  /** Linux: the namespace in which `pid` counts; containers have their own. */
  readonly pidNamespace: string | undefined;
  /** Linux: when the process started, in clock ticks since the boot. */
  readonly started: string | undefined;
}

/** The second of a boot is computed from the clock, which may be adjusted. */
const BOOT_TOLERANCE_S = 10;

/** Describes this process as the holder of a lock. */
export function thisProcess(): Omit<LockRecord, 'id'> {
  return {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? bootSecond(),
    pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    started: statusOf(process.pid)?.started,
  };
}

/** Whether a holder still runs; undefined if this process cannot know: of another machine or container, or without Linux's
 *  /proc, where the process ID may have been given to another process. */
export function isRunning(holder: LockRecord): boolean | undefined {
  const self = thisProcess();
  const isVisible =
    holder.host === self.host && isSameBoot(holder.boot, self.boot) && holder.pidNamespace === self.pidNamespace;
  if (!isVisible) return undefined;
  if (!exists(holder.pid)) return false;
  const status = statusOf(holder.pid);
  if (!status || holder.started === undefined) return undefined;
  return status.started === holder.started && !status.hasEnded;
}

function isSameBoot(one: string | number, other: string | number): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return Math.abs(one - other) <= BOOT_TOLERANCE_S;
}

function bootSecond(): number {
  return Math.round(Date.now() / 1000 - uptime());
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process exists but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** State and start of a process from Linux's /proc; undefined where it cannot be read. */
function statusOf(pid: number): { readonly hasEnded: boolean; readonly started: string } | undefined {
  const line = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  // "PID (NAME) STATE …": the name may hold spaces and brackets. The start is the 22nd field.
  const [state, ...fields] = line?.slice(line.lastIndexOf(')') + 2).split(' ') ?? [];
  const started = fields[18];
  // Z: killed, but its parent has not yet asked how it ended.
  return started === undefined ? undefined : { hasEnded: 'ZXx'.includes(state), started };
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
