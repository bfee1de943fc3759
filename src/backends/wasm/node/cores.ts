import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The number of threads worth starting, at least 1: one per physical core that this process may run on, or fewer if a
 *  control group (cgroup) limits its CPU time. Two threads on one core would only wait for each other. */
export function availableCores(): number {
  return detectCores().count;
}

/** The number of threads worth starting, and the limit that sets it, in words. */
export function detectCores(): { count: number; reason: string } {
  const limits = [
    { count: physicalCores() ?? Infinity, reason: 'one per physical core' },
    { count: availableParallelism(), reason: 'one per logical processor' },
    { count: Math.round(cgroupLimit() || 1), reason: 'the CPU limit of the control group' },
  ];
  const { count, reason } = limits.reduce((lowest, limit) => (limit.count < lowest.count ? limit : lowest));
  return { count: Math.max(1, count), reason };
}

/** The number of physical cores in this process's CPU affinity; undefined if the system does not tell. */
function physicalCores(): number | undefined {
  const allowed = /^Cpus_allowed_list:\s*(.*)$/m.exec(read('/proc/self/status') ?? '')?.[1];
  if (allowed === undefined) return undefined;
  const cores = new Set<string>();
  for (const cpu of parseCpuList(allowed)) {
    const siblings = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    if (siblings !== undefined) cores.add(siblings.trim());
  }
  return cores.size || undefined;
}

/** Expands a list of CPUs in Linux notation, such as 0-3,8. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The CPU time that control groups allow, in CPUs; Infinity without a limit. */
function cgroupLimit(): number {
  const version2 = read('/sys/fs/cgroup/cpu.max')?.split(' ').map(Number);
  if (version2) return cpuShare(version2[0], version2[1]);
  const version1 = ['quota', 'period'].map((name) => Number(read(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`)));
  return cpuShare(version1[0], version1[1]);
}

/** quota/period; Infinity without a quota ("max", or −1). */
function cpuShare(quota: number, period: number): number {
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
