/**
 * Limits as people ask for them → the spec's resources and rlimits.
 *
 * Knows: units, Docker's lower bounds, and how CPUs become quota and period.
 * Does not know: control files (packages/cgroups).
 */
import { EngineError } from '@slipway/errors';
import { DOCKER_DEFAULTS, rlimitNumber, type SpecProcess, type SpecResources } from '@slipway/oci';
import type { HostRequest, ResourceRequest } from './container.ts';

/** Below this the kernel has not even room for the process's own start. */
const MIN_MEMORY_BYTES = 6 * 1024 * 1024;
const MIN_CPU_SHARES = 2;
const MAX_CPU_SHARES = 262_144;
const CPUSET = /^[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*$/;

/**
 * The `linux.resources` of a container.
 *
 * @throws EngineError invalid-argument / E_CONTAINER_LIMIT for a limit that is too low or contradicts another
 */
export function planResources(host: HostRequest): SpecResources {
  const { resources } = host;
  const memory = planMemory(resources);
  const cpu = planCpu(resources);
  const isLimited = memory !== undefined || cpu !== undefined || (resources.pidsLimit ?? 0) > 0;
  // The very object, which the runtime has planned for before.
  if (!isLimited && !host.privileged) return DOCKER_DEFAULTS.resources;
  return {
    devices: host.privileged ? [{ allow: true, access: 'rwm' }] : DOCKER_DEFAULTS.deviceRules,
    ...(memory === undefined ? {} : { memory }),
    ...(cpu === undefined ? {} : { cpu }),
    ...((resources.pidsLimit ?? 0) > 0 ? { pids: { limit: resources.pidsLimit ?? -1 } } : {}),
  };
}

function planMemory(asked: ResourceRequest): SpecResources['memory'] | undefined {
  const { memoryBytes: limit, memorySwapBytes: swap, memoryReservationBytes: reservation } = asked;
  if (limit !== undefined && limit < MIN_MEMORY_BYTES) {
    throw refuse(`minimum memory limit allowed is 6MB, but ${limit} bytes were asked for`, 'use --memory 6m or more');
  }
  if (limit === undefined && (swap ?? 0) > 0) throw refuse('a memory and swap limit needs a memory limit too', 'set --memory');
  if (limit !== undefined && (swap ?? 0) > 0 && (swap ?? 0) < limit) {
    throw refuse('minimum memoryswap limit should be larger than memory limit', 'memory-swap is memory plus swap');
  }
  if (reservation !== undefined && limit !== undefined && reservation > limit) {
    throw refuse('minimum memory limit can not be less than memory reservation limit', 'lower --memory-reservation');
  }
  if (limit === undefined && reservation === undefined) return undefined;
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(reservation === undefined ? {} : { reservation }),
    ...(swap === undefined ? {} : { swap }),
  };
}

function planCpu(asked: ResourceRequest): SpecResources['cpu'] | undefined {
  if (asked.nanoCpus !== undefined && (asked.cpuQuotaUs !== undefined || asked.cpuPeriodUs !== undefined)) {
    throw refuse('conflicting options: Nano CPUs and CPU Period cannot both be set', 'use --cpus, or --cpu-quota with --cpu-period');
  }
  const { cpuShares: shares, cpusetCpus: cpus, cpusetMems: mems } = asked;
  if (shares !== undefined && (shares < MIN_CPU_SHARES || shares > MAX_CPU_SHARES)) {
    throw refuse(`cpu shares ${shares} are out of range`, `use ${MIN_CPU_SHARES} to ${MAX_CPU_SHARES}`);
  }
  for (const set of [cpus, mems]) {
    if (set !== undefined && !CPUSET.test(set)) throw refuse(`invalid cpuset '${set}'`, 'write it like 0-2,4');
  }
  const cpu = {
    ...bandwidth(asked),
    ...(shares === undefined ? {} : { shares }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(mems === undefined ? {} : { mems }),
  };
  return Object.keys(cpu).length === 0 ? undefined : cpu;
}

function bandwidth({ nanoCpus, cpuQuotaUs, cpuPeriodUs }: ResourceRequest): { readonly quota?: number; readonly period?: number } {
  const period = cpuPeriodUs ?? DOCKER_DEFAULTS.cpuPeriodUs;
  if (period < 1000 || period > 1_000_000) throw refuse(`cpu period ${period} is out of range`, 'use 1000 to 1000000 microseconds');
  if (nanoCpus !== undefined) {
    const quota = Math.round((nanoCpus * period) / 1e9);
    if (quota < 1000) throw refuse(`${nanoCpus / 1e9} CPUs are too few`, 'use --cpus 0.01 or more');
    return { quota, period };
  }
  if (cpuQuotaUs !== undefined && cpuQuotaUs > 0 && cpuQuotaUs < 1000) {
    throw refuse(`cpu quota ${cpuQuotaUs} is too low`, 'use 1000 microseconds or more');
  }
  return {
    ...(cpuQuotaUs === undefined ? {} : { quota: cpuQuotaUs }),
    ...(cpuPeriodUs === undefined && cpuQuotaUs === undefined ? {} : { period }),
  };
}

/** `--ulimit nofile=1024:2048` as the spec's rlimits. -1 is unlimited. */
export function planRlimits(ulimits: HostRequest['ulimits']): NonNullable<SpecProcess['rlimits']> {
  return ulimits.map(({ name, soft, hard }) => {
    const type = `RLIMIT_${name.toUpperCase()}`;
    if (rlimitNumber(type) === undefined) throw refuse(`invalid ulimit type: '${name}'`, 'see getrlimit(2) for the names');
    if (hard >= 0 && (soft < 0 || soft > hard)) {
      throw refuse(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`, 'write it as soft:hard');
    }
    return { type, soft: Math.max(soft, -1), hard: Math.max(hard, -1) };
  });
}

function refuse(message: string, hint: string): EngineError {
  return new EngineError('invalid-argument', message, { code: 'E_CONTAINER_LIMIT', op: 'container.create', hint });
}
