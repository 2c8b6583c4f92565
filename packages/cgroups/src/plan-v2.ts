/**
 * Limits as cgroup v2 spells them.
 *
 * Knows: v2's file names and how the document's v1-era numbers translate (shares to weight, memory+swap to swap).
 * Does not know: which controllers are enabled.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst
 */
import type { SpecResources } from '@slipway/oci';
import { bytesBack, type WantedPlan, type WantedWrite, writesOf } from './control-writes.ts';
import {
  type BlockIoFields,
  type CpuFields,
  isGiven,
  isPresent,
  type MemoryFields,
  type NetworkFields,
  noEquivalent,
  pageBytes,
  type ResourceFields,
  rdmaLine,
  resourceFields,
  THROTTLES,
} from './resource-fields.ts';

/**
 * @spec runtime-spec/config-linux.md#memory, runtime-spec/config-linux.md#cpu, runtime-spec/config-linux.md#pids
 * @spec runtime-spec/config-linux.md#unified/no-conversion
 */
export function planV2(resources: SpecResources): WantedPlan {
  const { memory, cpu, blockIo, hugepages, network, rdma, pidsLimit } = resourceFields(resources);
  refuseNetwork(network);
  const writes = [
    ...planCpuset(cpu),
    ...planMemory(memory),
    ...planCpu(cpu),
    ...(pidsLimit === undefined ? [] : [writesOf('pids').exact('pids.max', pidsLimit < 0 ? 'max' : pidsLimit, 'pids/limit')]),
    ...planBlockIo(blockIo),
    ...planHugepages(hugepages),
    ...Object.entries(rdma).map(([name, limits]) => writesOf('rdma').entry('rdma.max', rdmaLine(name, limits), `rdma/${name}`)),
  ];
  const warnings = isGiven(memory.kernel) ? ['/linux/resources/memory/kernel is ignored: cgroup v2 has no such setting'] : [];
  return { writes, warnings };
}

/**
 * cgroup v1's cpu.shares (2..262144, 1024 by default) as v2's cpu.weight (1..10000, 100 by default), so that the ends meet
 * the ends and the default meets the default: a curve through three points, on logarithmic scales.
 */
export function weightOfShares(shares: number): number {
  const power = Math.log2(Math.min(Math.max(shares, 2), 262_144));
  const exponent = (power * power + 125 * power) / 612 - 7 / 34;
  // Rounded before the ceiling, or 2.0000000000000004 would make the default 101.
  return Math.min(10_000, Math.ceil(Number((10 ** exponent).toFixed(6))));
}

function planMemory(memory: MemoryFields): WantedWrite[] {
  if (memory.disableOOMKiller === true) throw noEquivalent('memory/disableOOMKiller', 'v2');
  if (memory.useHierarchy === false) throw noEquivalent('memory/useHierarchy', 'v2');
  if (isPresent(memory.swappiness)) throw noEquivalent('memory/swappiness', 'v2');
  if (isGiven(memory.kernelTCP) && memory.kernelTCP > 0) throw noEquivalent('memory/kernelTCP', 'v2');
  const { bytes } = writesOf('memory');
  const writes: WantedWrite[] = [];
  if (isGiven(memory.limit)) {
    const limit = bytes('memory.max', memory.limit, 'memory/limit', 'max');
    writes.push(memory.checkBeforeUpdate === true && memory.limit > 0 ? { ...limit, notBelow: 'memory.current' } : limit);
  }
  const swap = swapMax(memory);
  // Without swap accounting there is no file, and nothing to lift.
  if (swap !== undefined) writes.push({ ...bytes('memory.swap.max', swap, 'memory/swap', 'max'), isDefault: swap < 0 });
  if (isGiven(memory.reservation)) writes.push(bytes('memory.low', memory.reservation, 'memory/reservation', 'max'));
  return writes;
}

/** The document counts memory in; v2 counts swap alone. Undefined: leave as it is. */
function swapMax({ limit, swap }: MemoryFields): number | undefined {
  if (!isGiven(swap)) return undefined;
  if (swap < 0) return -1;
  return isGiven(limit) && limit > 0 ? Math.max(0, swap - limit) : undefined;
}

function planCpu(cpu: CpuFields): WantedWrite[] {
  for (const field of ['realtimeRuntime', 'realtimePeriod'] as const) if (isGiven(cpu[field])) throw noEquivalent(`cpu/${field}`, 'v2');
  const { exact } = writesOf('cpu');
  const writes: WantedWrite[] = [];
  // First: an idle group takes no weight. One that is to be idle has none.
  if (isPresent(cpu.idle)) writes.push({ ...exact('cpu.idle', cpu.idle, 'cpu/idle'), isDefault: cpu.idle === 0 });
  if (isGiven(cpu.shares) && cpu.idle !== 1) writes.push(exact('cpu.weight', weightOfShares(cpu.shares), 'cpu/shares'));
  if (isGiven(cpu.quota) || isGiven(cpu.period)) {
    const quota = isGiven(cpu.quota) && cpu.quota > 0 ? String(cpu.quota) : 'max';
    const period = isGiven(cpu.period) ? cpu.period : 100_000;
    writes.push(exact('cpu.max', `${quota} ${period}`, isGiven(cpu.quota) ? 'cpu/quota' : 'cpu/period'));
  }
  if (isPresent(cpu.burst)) writes.push({ ...exact('cpu.max.burst', cpu.burst, 'cpu/burst'), isDefault: cpu.burst === 0 });
  return writes;
}

function planCpuset(cpu: CpuFields): WantedWrite[] {
  return (['cpus', 'mems'] as const).flatMap((field) => {
    const text = cpu[field]?.trim();
    return text === undefined || text === '' ? [] : [writesOf('cpuset').list(`cpuset.${field}`, text, `cpu/${field}`)];
  });
}

/** Weights belong to the cost model (io.weight), or to the scheduler BFQ, whichever the kernel has. */
function planBlockIo(io: BlockIoFields): WantedWrite[] {
  if (isGiven(io.leafWeight)) throw noEquivalent('blockIO/leafWeight', 'v2');
  const { entry } = writesOf('io');
  const weight = (target: string, value: number, field: string): WantedWrite => {
    const bfq = `${target} ${value}`;
    const readBack = { as: 'entry', text: bfq } as const;
    return { ...entry('io.weight', `${target} ${ioWeight(value)}`, field), otherwise: { file: 'io.bfq.weight', value: bfq, readBack } };
  };
  const weights = isGiven(io.weight) ? [weight('default', io.weight, 'blockIO/weight')] : [];
  const devices = (io.weightDevice ?? []).flatMap(({ major, minor, weight: value, leafWeight }, index) => {
    const field = `blockIO/weightDevice/${index}`;
    if (isGiven(leafWeight)) throw noEquivalent(`${field}/leafWeight`, 'v2');
    return isGiven(value) ? [weight(`${major}:${minor}`, value, field)] : [];
  });
  const throttles = THROTTLES.flatMap(([field, , key]) =>
    (io[field] ?? []).map(({ major, minor, rate }, index) =>
      entry('io.max', `${major}:${minor} ${key}=${rate > 0 ? rate : 'max'}`, `blockIO/${field}/${index}`),
    ),
  );
  return [...weights, ...devices, ...throttles];
}

/** 10..1000 becomes 1..10000. */
function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

/** Reservations where the kernel counts them, so that who exceeds the limit is told at mmap(2) and not by a signal; and use. */
function planHugepages(limits: ResourceFields['hugepages']): WantedWrite[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const readBack = bytesBack(limit, pageBytes(pageSize));
    const use = writesOf('hugetlb').bytes(`hugetlb.${pageSize}.max`, limit, `hugepageLimits/${index}/limit`, 'max');
    return [
      { ...use, readBack },
      { ...use, file: `hugetlb.${pageSize}.rsvd.max`, readBack, isDefault: true },
    ];
  });
}

/** Packets are tagged and ranked by BPF programs on v2, or by matching the cgroup's path. */
function refuseNetwork({ classID, priorities }: NetworkFields): void {
  if (isGiven(classID)) throw noEquivalent('network/classID', 'v2');
  if ((priorities?.length ?? 0) > 0) throw noEquivalent('network/priorities', 'v2');
}
