/**
 * Limits as cgroup v1 spells them.
 *
 * Knows: v1's file names, units and the order its memory and cpu files insist on.
 * Does not know: which hierarchies are mounted.
 *
 * @see kernel Documentation/admin-guide/cgroup-v1
 */
import type { SpecResources } from '@slipway/oci';
import type { WantedPlan, WantedWrite } from './control-writes.ts';
import { planDeviceList } from './device-list.ts';
import { type BlockIoFields, type CpuFields, isGiven, type MemoryFields, resourceFields, THROTTLES } from './resource-fields.ts';

const BASE = '/linux/resources';

export function planV1(resources: SpecResources): WantedPlan {
  const { memory, cpu, blockIo, hugepages, pidsLimit } = resourceFields(resources);
  const writes = [
    ...planDeviceList(resources.devices),
    ...planCpuset(cpu),
    ...planMemory(memory),
    ...planCpu(cpu),
    ...(pidsLimit === undefined ? [] : [exact('pids', 'pids.max', pidsLimit > 0 ? String(pidsLimit) : 'max', 'pids/limit')]),
    ...planBlockIo(blockIo),
    ...hugepages.map(({ pageSize, limit }, index) =>
      bytes('hugetlb', `hugetlb.${pageSize}.limit_in_bytes`, limit, `hugepageLimits/${index}/limit`),
    ),
  ];
  const warnings = isGiven(memory.kernel) ? ['/linux/resources/memory/kernel is ignored: kernels since 5.16 have no such limit'] : [];
  return { writes, warnings };
}

/** Limit before memory+swap: a fresh group's memory+swap is unlimited, and may not go below the limit. */
function planMemory(memory: MemoryFields): WantedWrite[] {
  const writes: WantedWrite[] = [];
  if (isGiven(memory.limit)) writes.push(bytes('memory', 'memory.limit_in_bytes', memory.limit, 'memory/limit'));
  // Lifting the limit alone would leave memory+swap behind as the tighter bound.
  const swap = isGiven(memory.swap) ? memory.swap : memory.limit === -1 ? -1 : undefined;
  if (swap !== undefined)
    writes.push(bytes('memory', 'memory.memsw.limit_in_bytes', swap, isGiven(memory.swap) ? 'memory/swap' : 'memory/limit'));
  if (isGiven(memory.reservation)) writes.push(bytes('memory', 'memory.soft_limit_in_bytes', memory.reservation, 'memory/reservation'));
  if (isGiven(memory.kernelTCP)) writes.push(bytes('memory', 'memory.kmem.tcp.limit_in_bytes', memory.kernelTCP, 'memory/kernelTCP'));
  if (typeof memory.swappiness === 'number')
    writes.push(exact('memory', 'memory.swappiness', String(memory.swappiness), 'memory/swappiness'));
  if (memory.disableOOMKiller === true) {
    writes.push({ controller: 'memory', file: 'memory.oom_control', value: '1', pointer: `${BASE}/memory/disableOOMKiller` });
  }
  return writes;
}

function planCpu(cpu: CpuFields): WantedWrite[] {
  const writes: WantedWrite[] = [];
  if (isGiven(cpu.shares)) writes.push(exact('cpu', 'cpu.shares', String(cpu.shares), 'cpu/shares'));
  if (isGiven(cpu.period)) writes.push(exact('cpu', 'cpu.cfs_period_us', String(cpu.period), 'cpu/period'));
  if (isGiven(cpu.quota)) writes.push(exact('cpu', 'cpu.cfs_quota_us', String(cpu.quota), 'cpu/quota'));
  if (isGiven(cpu.burst)) writes.push(exact('cpu', 'cpu.cfs_burst_us', String(cpu.burst), 'cpu/burst'));
  if (isGiven(cpu.realtimePeriod)) writes.push(exact('cpu', 'cpu.rt_period_us', String(cpu.realtimePeriod), 'cpu/realtimePeriod'));
  if (isGiven(cpu.realtimeRuntime)) writes.push(exact('cpu', 'cpu.rt_runtime_us', String(cpu.realtimeRuntime), 'cpu/realtimeRuntime'));
  if (isGiven(cpu.idle)) writes.push(exact('cpu', 'cpu.idle', String(cpu.idle), 'cpu/idle'));
  return writes;
}

function planCpuset(cpu: CpuFields): WantedWrite[] {
  return (['cpus', 'mems'] as const).flatMap((field) => {
    const text = cpu[field]?.trim();
    if (text === undefined || text === '') return [];
    const readBack = { as: 'list', text } as const;
    return [{ controller: 'cpuset', file: `cpuset.${field}`, value: text, pointer: `${BASE}/cpu/${field}`, readBack }];
  });
}

function planBlockIo(io: BlockIoFields): WantedWrite[] {
  const weight = isGiven(io.weight) ? [exact('blkio', 'blkio.bfq.weight', String(io.weight), 'blockIO/weight')] : [];
  const throttles = THROTTLES.flatMap(([field, file]) =>
    (io[field] ?? []).map(({ major, minor, rate }, index) => {
      return { controller: 'blkio', file, value: `${major}:${minor} ${rate}`, pointer: `${BASE}/blockIO/${field}/${index}` };
    }),
  );
  return [...weight, ...throttles];
}

function exact(controller: string, file: string, value: string, field: string): WantedWrite {
  return { controller, file, value, pointer: `${BASE}/${field}`, readBack: { as: 'exact', text: value } };
}

function bytes(controller: string, file: string, value: number, field: string): WantedWrite {
  const readBack = { as: 'bytes', value: value < 0 ? 'max' : BigInt(value) } as const;
  return { controller, file, value: String(value < 0 ? -1 : value), pointer: `${BASE}/${field}`, readBack };
}
