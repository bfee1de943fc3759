import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The number of threads that are of use: the physical cores that this process may run on, at most as many as its share of
 *  the processor (cgroup limits) makes up; at least 1. Two threads on the halves of one core would wait for each other. */
export function availableCores(): number {
  return usableCores().count;
}

/** The number of threads that are of use, and in words what sets it. */
export function usableCores(): { count: number; because: string } {
  const limits = [
    { count: physicalCores() ?? Infinity, because: 'one for each physical core' },
    { count: availableParallelism(), because: 'one for each processor' },
    { count: Math.round(cgroupLimit() || 1), because: 'the share of the processor that the control group leaves' },
  ];
  const { count, because } = limits.reduce((least, limit) => (limit.count < least.count ? limit : least));
  return { count: Math.max(1, count), because };
}

/** Cores among the processors of this process's affinity; undefined where the system does not say. */
function physicalCores(): number | undefined {
  const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  if (allowed === undefined) return undefined;
  const cores = new Set<string>();
  for (const cpu of numbersOf(allowed)) {
    const siblings = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    if (siblings !== undefined) cores.add(siblings.trim());
  }
  return cores.size || undefined;
}

/** The numbers of a list such as 0-3,8. */
export function numbersOf(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** Processors' worth of time that control groups leave; infinite without a limit. */
function cgroupLimit(): number {
  const version2 = read('/sys/fs/cgroup/cpu.max')?.split(' ').map(Number);
  if (version2) return shareOf(version2[0], version2[1]);
  const version1 = ['quota', 'period'].map((name) => Number(read(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`)));
  return shareOf(version1[0], version1[1]);
}

/** quota/period; infinite if there is no quota ("max", or −1). */
function shareOf(quota: number, period: number): number {
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
