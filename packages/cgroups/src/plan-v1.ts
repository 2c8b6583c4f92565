/**
 * Limits as cgroup v1 spells them.
 *
 * Knows: v1's file names, units and the order its memory and cpu files insist on.
 * Does not know: which hierarchies are mounted.
 *
 * @see kernel Documentation/admin-guide/cgroup-v1
 */
import type { SpecResources } from '@slipway/oci';
import { bytesBack, type WantedPlan, type WantedWrite, writesOf } from './control-writes.ts';
import { planDeviceList } from './device-list.ts';
import {
  type BlockIoFields,
  type CpuFields,
  isGiven,
  isPresent,
  type MemoryFields,
  type NetworkFields,
  pageBytes,
  type ResourceFields,
  rdmaLine,
  resourceFields,
  THROTTLES,
} from './resource-fields.ts';

/** @spec runtime-spec/config-linux.md#memory, runtime-spec/config-linux.md#cpu, runtime-spec/config-linux.md#pids */
export function planV1(resources: SpecResources): WantedPlan {
  const { memory, cpu, blockIo, hugepages, network, rdma, pidsLimit } = resourceFields(resources);
  const writes = [
    ...planDeviceList(resources.devices),
    ...planCpuset(cpu),
    ...planMemory(memory),
    ...planCpu(cpu),
    ...(pidsLimit === undefined ? [] : [writesOf('pids').exact('pids.max', pidsLimit < 0 ? 'max' : pidsLimit, 'pids/limit')]),
    ...planBlockIo(blockIo),
    ...planHugepages(hugepages),
    ...planNetwork(network),
    ...Object.entries(rdma).map(([name, limits]) => writesOf('rdma').entry('rdma.max', rdmaLine(name, limits), `rdma/${name}`)),
  ];
  const warnings = isGiven(memory.kernel) ? ['/linux/resources/memory/kernel is ignored: kernels since 5.16 have no such limit'] : [];
  return { writes, warnings };
}

/** Limit before memory+swap: a fresh group's memory+swap is unlimited, and may not go below the limit. */
function planMemory(memory: MemoryFields): WantedWrite[] {
  const { exact, bytes, entry } = writesOf('memory');
  const writes: WantedWrite[] = [];
  if (isPresent(memory.useHierarchy))
    writes.push({ ...exact('memory.use_hierarchy', memory.useHierarchy ? 1 : 0, 'memory/useHierarchy'), isDefault: memory.useHierarchy });
  if (isGiven(memory.limit)) writes.push(bytes('memory.limit_in_bytes', memory.limit, 'memory/limit', '-1'));
  // Lifting the limit alone would leave memory+swap behind as the tighter bound.
  const swap = isGiven(memory.swap) ? memory.swap : memory.limit === -1 ? -1 : undefined;
  if (swap !== undefined) {
    const write = bytes('memory.memsw.limit_in_bytes', swap, isGiven(memory.swap) ? 'memory/swap' : 'memory/limit', '-1');
    // Without swap accounting there is no file, and nothing to lift.
    writes.push({ ...write, isDefault: swap < 0 });
  }
  if (isGiven(memory.reservation)) writes.push(bytes('memory.soft_limit_in_bytes', memory.reservation, 'memory/reservation', '-1'));
  if (isGiven(memory.kernelTCP)) writes.push(bytes('memory.kmem.tcp.limit_in_bytes', memory.kernelTCP, 'memory/kernelTCP', '-1'));
  if (isPresent(memory.swappiness)) writes.push(exact('memory.swappiness', memory.swappiness, 'memory/swappiness'));
  if (isPresent(memory.disableOOMKiller)) {
    const disable = memory.disableOOMKiller ? '1' : '0';
    const readBack = { as: 'entry', text: `oom_kill_disable ${disable}` } as const;
    writes.push({
      ...entry('memory.oom_control', disable, 'memory/disableOOMKiller'),
      readBack,
      isDefault: !memory.disableOOMKiller,
    });
  }
  return writes;
}

function planCpu(cpu: CpuFields): WantedWrite[] {
  const { exact } = writesOf('cpu');
  const writes: WantedWrite[] = [];
  // First: an idle group takes no shares. One that is to be idle has none.
  if (isPresent(cpu.idle)) writes.push({ ...exact('cpu.idle', cpu.idle, 'cpu/idle'), isDefault: cpu.idle === 0 });
  if (isGiven(cpu.shares) && cpu.idle !== 1) writes.push(exact('cpu.shares', cpu.shares, 'cpu/shares'));
  if (isGiven(cpu.period)) writes.push(exact('cpu.cfs_period_us', cpu.period, 'cpu/period'));
  if (isGiven(cpu.quota)) writes.push(exact('cpu.cfs_quota_us', cpu.quota, 'cpu/quota'));
  if (isPresent(cpu.burst)) writes.push({ ...exact('cpu.cfs_burst_us', cpu.burst, 'cpu/burst'), isDefault: cpu.burst === 0 });
  if (isGiven(cpu.realtimePeriod)) writes.push(exact('cpu.rt_period_us', cpu.realtimePeriod, 'cpu/realtimePeriod'));
  if (isGiven(cpu.realtimeRuntime)) writes.push(exact('cpu.rt_runtime_us', cpu.realtimeRuntime, 'cpu/realtimeRuntime'));
  return writes;
}

function planCpuset(cpu: CpuFields): WantedWrite[] {
  return (['cpus', 'mems'] as const).flatMap((field) => {
    const text = cpu[field]?.trim();
    return text === undefined || text === '' ? [] : [writesOf('cpuset').list(`cpuset.${field}`, text, `cpu/${field}`)];
  });
}

/** BFQ's files on kernels that have it; before 5.0 the same were CFQ's, by other names. */
function planBlockIo(io: BlockIoFields): WantedWrite[] {
  const { exact, entry } = writesOf('blkio');
  const renamed = (write: WantedWrite): WantedWrite => {
    const { file, value, readBack } = write;
    return { ...write, otherwise: { file: file.replace('.bfq', ''), value, ...(readBack === undefined ? {} : { readBack }) } };
  };
  const weights = [
    ...(isGiven(io.weight) ? [renamed(exact('blkio.bfq.weight', io.weight, 'blockIO/weight'))] : []),
    ...(isGiven(io.leafWeight) ? [exact('blkio.leaf_weight', io.leafWeight, 'blockIO/leafWeight')] : []),
  ];
  const devices = (io.weightDevice ?? []).flatMap(({ major, minor, weight, leafWeight }, index) => {
    const field = `blockIO/weightDevice/${index}`;
    return [
      ...(isGiven(weight) ? [renamed(entry('blkio.bfq.weight_device', `${major}:${minor} ${weight}`, field))] : []),
      ...(isGiven(leafWeight) ? [entry('blkio.leaf_weight_device', `${major}:${minor} ${leafWeight}`, field)] : []),
    ];
  });
  const throttles = THROTTLES.flatMap(([field, file]) =>
    (io[field] ?? []).map(({ major, minor, rate }, index) => entry(file, `${major}:${minor} ${rate}`, `blockIO/${field}/${index}`)),
  );
  return [...weights, ...devices, ...throttles];
}

/** Reservations where the kernel counts them, so that who exceeds the limit is told at mmap(2) and not by a signal; and use. */
function planHugepages(limits: ResourceFields['hugepages']): WantedWrite[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const readBack = bytesBack(limit, pageBytes(pageSize));
    const use = writesOf('hugetlb').bytes(`hugetlb.${pageSize}.limit_in_bytes`, limit, `hugepageLimits/${index}/limit`, '-1');
    return [
      { ...use, readBack },
      { ...use, file: `hugetlb.${pageSize}.rsvd.limit_in_bytes`, readBack, isDefault: true },
    ];
  });
}

function planNetwork({ classID, priorities = [] }: NetworkFields): WantedWrite[] {
  const tag = isPresent(classID) ? [writesOf('net_cls').exact('net_cls.classid', classID, 'network/classID')] : [];
  const map = (priorities ?? []).map(({ name, priority }, index) =>
    writesOf('net_prio').entry('net_prio.ifpriomap', `${name} ${priority}`, `network/priorities/${index}`),
  );
  return [...tag, ...map];
}
