/**
 * How the kernel schedules and places the process: CPU, disk, memory nodes; and the machine it pretends to be.
 *
 * Knows: the kernel's numbers for the specification's words.
 * Does not know: which of them this kernel grants us; the operation says so when it fails.
 *
 * @spec runtime-spec/config.md#linux-process, runtime-spec/config-linux.md#memory-policy, runtime-spec/config-linux.md#personality
 * @see sched_setattr(2), ioprio_set(2), set_mempolicy(2), personality(2)
 */
import type { RuntimeSpec, SpecProcess } from '@slipway/oci';
import { type Draft, invalid, unsupported } from './draft.ts';

const POLICIES: Readonly<Record<string, number>> = {
  SCHED_OTHER: 0,
  SCHED_FIFO: 1,
  SCHED_RR: 2,
  SCHED_BATCH: 3,
  SCHED_IDLE: 5,
  SCHED_DEADLINE: 6,
};

const SCHEDULER_FLAGS: Readonly<Record<string, number>> = {
  SCHED_FLAG_RESET_ON_FORK: 0x01,
  SCHED_FLAG_RECLAIM: 0x02,
  SCHED_FLAG_DL_OVERRUN: 0x04,
  SCHED_FLAG_KEEP_POLICY: 0x08,
  SCHED_FLAG_KEEP_PARAMS: 0x10,
  SCHED_FLAG_UTIL_CLAMP_MIN: 0x20,
  SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};

const IO_CLASSES: Readonly<Record<string, number>> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };

const MEMORY_MODES: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};

const MEMORY_FLAGS: Readonly<Record<string, number>> = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};

const PERSONALITIES: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };

/** Inside, while root's rights are still there: most of these need one. */
export function planScheduling(draft: Draft, spec: RuntimeSpec): void {
  planScheduler(draft, spec.process);
  planIoPriority(draft, spec.process);
  planMemoryPolicy(draft, spec);
  planPersonality(draft, spec);
}

function planScheduler(draft: Draft, process: SpecProcess | undefined): void {
  const scheduler = process?.scheduler;
  if (scheduler === undefined) return;
  const pointer = '/process/scheduler';
  const policy = numberOf(POLICIES, scheduler.policy, `${pointer}/policy`);
  const flags = flagsOf(SCHEDULER_FLAGS, scheduler.flags, `${pointer}/flags`);
  const { nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler;
  draft.add(
    'rights',
    { pointer, reason: 'when the process gets a CPU, compared with others' },
    { op: 'scheduler', policy, nice, priority, flags, runtimeNs: BigInt(runtime), deadlineNs: BigInt(deadline), periodNs: BigInt(period) },
  );
}

function planIoPriority(draft: Draft, process: SpecProcess | undefined): void {
  const wanted = process?.ioPriority;
  if (wanted === undefined) return;
  const pointer = '/process/ioPriority';
  const ioClass = numberOf(IO_CLASSES, wanted.class, `${pointer}/class`);
  draft.add(
    'rights',
    { pointer, reason: 'when the process gets a disk, compared with others' },
    { op: 'ioPriority', class: ioClass, priority: wanted.priority ?? 0 },
  );
}

function planMemoryPolicy(draft: Draft, spec: RuntimeSpec): void {
  const policy = spec.linux?.memoryPolicy;
  if (policy === undefined) return;
  const pointer = '/linux/memoryPolicy';
  const mode = numberOf(MEMORY_MODES, policy.mode, `${pointer}/mode`);
  const flags = flagsOf(MEMORY_FLAGS, policy.flags, `${pointer}/flags`);
  const nodes = parseNumberList(policy.nodes ?? '', `${pointer}/nodes`);
  draft.add('rights', { pointer, reason: 'from which NUMA nodes its memory comes' }, { op: 'memoryPolicy', mode, flags, nodes });
}

function planPersonality(draft: Draft, spec: RuntimeSpec): void {
  const personality = spec.linux?.personality;
  if (personality === undefined) return;
  const pointer = '/linux/personality';
  const [flag] = personality.flags ?? [];
  // The specification knows none so far.
  if (flag !== undefined) throw unsupported(`${pointer}/flags`, `personality flag "${flag}" is not supported`);
  const domain = numberOf(PERSONALITIES, personality.domain, `${pointer}/domain`);
  draft.add('rights', { pointer, reason: 'the kind of machine that uname(2) names' }, { op: 'personality', persona: domain });
}

/**
 * CPUs of a further process, before and after it moves into the container's cgroup: it must not start on a CPU that the container
 * has kept for itself. Of a container's first process the field says nothing.
 */
export function planExecAffinity(draft: Draft, process: SpecProcess | undefined, when: 'initial' | 'final'): void {
  const list = process?.execCPUAffinity?.[when] ?? '';
  if (list === '') return;
  const pointer = `/process/execCPUAffinity/${when}`;
  const reason = when === 'initial' ? 'where it runs until it is in the cgroup' : 'where it runs from then on';
  draft.add('identity', { pointer, reason }, { op: 'cpuAffinity', cpus: parseNumberList(list, pointer) });
}

/** As large as the masks that the launcher passes on. */
const NUMBER_MAX = 1023;

/** `0-3,7` → 0, 1, 2, 3, 7; ascending, each once. @throws `invalid-argument` */
export function parseNumberList(text: string, pointer: string): readonly number[] {
  const parts = text.split(',').map((part) => part.trim());
  const numbers = parts.flatMap((part) => {
    if (part === '' && parts.length === 1) return [];
    const [, first = '', last = first] = /^([0-9]{1,4})(?:-([0-9]{1,4}))?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '' || from > to || to > NUMBER_MAX) throw invalid(pointer, `"${text}" is not a list such as "0-3,7"`);
    return Array.from({ length: to - from + 1 }, (_, step) => from + step);
  });
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}

function numberOf(table: Readonly<Record<string, number>>, word: string, pointer: string): number {
  const number = table[word];
  if (number === undefined) throw unsupported(pointer, `"${word}" is not supported: Linux has no such thing`);
  return number;
}

function flagsOf(table: Readonly<Record<string, number>>, words: readonly string[] = [], pointer = ''): number {
  return words.reduce((bits, word, index) => bits | numberOf(table, word, `${pointer}/${index}`), 0);
}
