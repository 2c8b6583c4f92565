/**
 * Limits as cgroup v2 spells them.
 *
 * Knows: v2's file names and how the document's v1-era numbers translate (shares to weight, memory+swap to swap).
 * Does not know: which controllers are enabled.
 *
 * @see kernel Documentation/admin-guide/cgroup-v2.rst
 */
import { EngineError } from '@slipway/errors';
import type { SpecResources } from '@slipway/oci';
import type { WantedPlan, WantedWrite } from './control-writes.ts';
import { type BlockIoFields, type CpuFields, isGiven, type MemoryFields, resourceFields, THROTTLES } from './resource-fields.ts';

const BASE = '/linux/resources';

export function planV2(resources: SpecResources): WantedPlan {
  const { memory, cpu, blockIo, hugepages, pidsLimit } = resourceFields(resources);
  const writes = [
    ...planCpuset(cpu),
    ...planMemory(memory),
    ...planCpu(cpu),
    ...(pidsLimit === undefined ? [] : [exact('pids', 'pids.max', pidsLimit > 0 ? String(pidsLimit) : 'max', 'pids/limit')]),
    ...planBlockIo(blockIo),
    ...hugepages.map(({ pageSize, limit }, index) => bytes('hugetlb', `hugetlb.${pageSize}.max`, limit, `hugepageLimits/${index}/limit`)),
  ];
  return { writes, warnings: memoryWarnings(memory) };
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
  if (memory.disableOOMKiller === true) throw noEquivalent('memory/disableOOMKiller');
  if (isGiven(memory.kernelTCP)) throw noEquivalent('memory/kernelTCP');
  const writes: WantedWrite[] = [];
  if (isGiven(memory.limit)) writes.push(bytes('memory', 'memory.max', memory.limit, 'memory/limit'));
  const swap = swapMax(memory);
  if (swap !== undefined) writes.push(bytes('memory', 'memory.swap.max', swap, 'memory/swap'));
  if (isGiven(memory.reservation)) writes.push(bytes('memory', 'memory.low', memory.reservation, 'memory/reservation'));
  return writes;
}

/** The document counts memory in; v2 counts swap alone. Undefined: leave as it is. */
function swapMax({ limit, swap }: MemoryFields): number | undefined {
  if (!isGiven(swap)) return undefined;
  if (swap < 0) return -1;
  return isGiven(limit) && limit > 0 ? Math.max(0, swap - limit) : undefined;
}

function planCpu(cpu: CpuFields): WantedWrite[] {
  if (isGiven(cpu.realtimeRuntime) || isGiven(cpu.realtimePeriod)) throw noEquivalent('cpu/realtimeRuntime');
  const writes: WantedWrite[] = [];
  if (isGiven(cpu.idle)) writes.push(exact('cpu', 'cpu.idle', String(cpu.idle), 'cpu/idle'));
  if (isGiven(cpu.shares)) writes.push(exact('cpu', 'cpu.weight', String(weightOfShares(cpu.shares)), 'cpu/shares'));
  if (isGiven(cpu.quota) || isGiven(cpu.period)) {
    const quota = isGiven(cpu.quota) && cpu.quota > 0 ? String(cpu.quota) : 'max';
    writes.push(
      exact('cpu', 'cpu.max', `${quota} ${isGiven(cpu.period) ? cpu.period : 100_000}`, isGiven(cpu.quota) ? 'cpu/quota' : 'cpu/period'),
    );
  }
  if (isGiven(cpu.burst)) writes.push(exact('cpu', 'cpu.max.burst', String(cpu.burst), 'cpu/burst'));
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
  // 10..1000 becomes 1..10000.
  const weight = isGiven(io.weight) ? 1 + Math.floor(((io.weight - 10) * 9999) / 990) : undefined;
  const weights: WantedWrite[] =
    weight === undefined ? [] : [{ controller: 'io', file: 'io.weight', value: `default ${weight}`, pointer: `${BASE}/blockIO/weight` }];
  const throttles = THROTTLES.flatMap(([field, , key]) =>
    (io[field] ?? []).map(({ major, minor, rate }, index) => {
      return { controller: 'io', file: 'io.max', value: `${major}:${minor} ${key}=${rate}`, pointer: `${BASE}/blockIO/${field}/${index}` };
    }),
  );
  return [...weights, ...throttles];
}

function memoryWarnings(memory: MemoryFields): string[] {
  const ignored = [...(isGiven(memory.kernel) ? ['kernel'] : []), ...(typeof memory.swappiness === 'number' ? ['swappiness'] : [])];
  return ignored.map((field) => `/linux/resources/memory/${field} is ignored: cgroup v2 has no such setting`);
}

function noEquivalent(field: string): EngineError {
  return new EngineError('unsupported', `${BASE}/${field} has no equivalent in cgroup v2`, {
    code: 'E_CGROUP_RESOURCE',
    op: 'cgroup.plan',
    subject: `${BASE}/${field}`,
    hint: 'leave the field out',
  });
}

function exact(controller: string, file: string, value: string, field: string): WantedWrite {
  return { controller, file, value, pointer: `${BASE}/${field}`, readBack: { as: 'exact', text: value } };
}

function bytes(controller: string, file: string, value: number, field: string): WantedWrite {
  const readBack = { as: 'bytes', value: value < 0 ? 'max' : BigInt(value) } as const;
  return { controller, file, value: value < 0 ? 'max' : String(value), pointer: `${BASE}/${field}`, readBack };
}
