/**
 * The parts of a config.json that say how the kernel schedules and places a process: CPU and disk priority, affinity, NUMA memory.
 *
 * Knows: the words and ranges of sched_setattr(2), ioprio_set(2) and set_mempolicy(2).
 * Does not know: which of them this engine or this kernel can do (the planner refuses those).
 *
 * @spec runtime-spec/config.md#linux-process
 */
import type { IssueList, Json } from './issue-list.ts';

export const SCHEDULER_POLICIES = [
  'SCHED_OTHER',
  'SCHED_FIFO',
  'SCHED_RR',
  'SCHED_BATCH',
  'SCHED_ISO',
  'SCHED_IDLE',
  'SCHED_DEADLINE',
] as const;
export const SCHEDULER_FLAGS = [
  'SCHED_FLAG_RESET_ON_FORK',
  'SCHED_FLAG_RECLAIM',
  'SCHED_FLAG_DL_OVERRUN',
  'SCHED_FLAG_KEEP_POLICY',
  'SCHED_FLAG_KEEP_PARAMS',
  'SCHED_FLAG_UTIL_CLAMP_MIN',
  'SCHED_FLAG_UTIL_CLAMP_MAX',
] as const;
export const IO_PRIORITY_CLASSES = ['IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'] as const;
export const MEMORY_POLICY_MODES = [
  'MPOL_DEFAULT',
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_WEIGHTED_INTERLEAVE',
  'MPOL_PREFERRED',
  'MPOL_PREFERRED_MANY',
  'MPOL_LOCAL',
] as const;
export const MEMORY_POLICY_FLAGS = ['MPOL_F_NUMA_BALANCING', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_STATIC_NODES'] as const;

/** `scheduler`, `ioPriority` and `execCPUAffinity` of a process below `path`. */
export function checkScheduling(list: IssueList, process: Json, path: string): void {
  checkScheduler(list, process['scheduler'], `${path}/scheduler`);
  const io = list.object(`${path}/ioPriority`, process['ioPriority']);
  if (io !== undefined) {
    list.oneOf(`${path}/ioPriority/class`, io['class'], IO_PRIORITY_CLASSES);
    list.integer(`${path}/ioPriority/priority`, io['priority'], { min: 0, max: 7 });
  }
  const affinity = list.object(`${path}/execCPUAffinity`, process['execCPUAffinity']);
  for (const field of affinity === undefined ? [] : ['initial', 'final']) {
    const cpus = list.text(`${path}/execCPUAffinity/${field}`, affinity?.[field], { empty: 'allowed' });
    if (cpus !== undefined && !/^[0-9, -]*$/.test(cpus)) list.add(`${path}/execCPUAffinity/${field}`, 'is not a list such as "0-3,7"');
  }
}

function checkScheduler(list: IssueList, value: unknown, path: string): void {
  const scheduler = list.object(path, value);
  if (scheduler === undefined) return;
  list.oneOf(`${path}/policy`, scheduler['policy'], SCHEDULER_POLICIES);
  list.integer(`${path}/nice`, scheduler['nice'], { min: -20, max: 19 });
  list.integer(`${path}/priority`, scheduler['priority'], { min: 0, max: 99 });
  list.array(`${path}/flags`, scheduler['flags'], (at, item) => list.oneOf(at, item, SCHEDULER_FLAGS));
  for (const field of ['runtime', 'deadline', 'period']) list.integer(`${path}/${field}`, scheduler[field], { min: 0 });
}

/** `linux.memoryPolicy`. */
export function checkMemoryPolicy(list: IssueList, value: unknown): void {
  const path = '/linux/memoryPolicy';
  const policy = list.object(path, value);
  if (policy === undefined) return;
  list.oneOf(`${path}/mode`, policy['mode'], MEMORY_POLICY_MODES);
  list.text(`${path}/nodes`, policy['nodes'], { empty: 'allowed' });
  list.array(`${path}/flags`, policy['flags'], (at, item) => list.oneOf(at, item, MEMORY_POLICY_FLAGS));
}
