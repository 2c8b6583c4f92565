/**
 * New limits for a container that has some already. Pure.
 *
 * Knows: what a limit left out means, how one is lifted, and which ones exclude each other.
 * Does not know: control files, nor whether the container runs.
 */
import { EngineError } from '@slipway/errors';
import type { SpecResources } from '@slipway/oci';
import type { HostRequest, ResourceRequest } from './container.ts';
import { planResources } from './plan-resources.ts';

export interface UpdatePlan {
  /** The container's limits from then on. */
  readonly resources: ResourceRequest;
  /** `linux.resources` of its document from then on. */
  readonly document: SpecResources;
  /** What a running container's cgroup has to be told: the controllers that change, -1 where a limit is lifted. */
  readonly changes: SpecResources;
}

/**
 * Absent fields stay as they are; -1 lifts a limit.
 *
 * @throws EngineError invalid-argument / E_CONTAINER_LIMIT for limits that contradict each other or those that stand
 */
export function planUpdate(host: HostRequest, asked: ResourceRequest): UpdatePlan {
  requireOneCpuLimit(host.resources, asked);
  requireRoomForMemory(host.resources, asked);
  const resources = withoutLifted({ ...host.resources, ...asked });
  const document = planResources({ ...host, resources });
  return { resources, document, changes: changesOf(document, asked) };
}

function changesOf({ memory, cpu }: SpecResources, asked: ResourceRequest): SpecResources {
  const memoryAsked = asked.memoryBytes ?? asked.memorySwapBytes ?? asked.memoryReservationBytes;
  const cpuAsked = asked.nanoCpus ?? asked.cpuQuotaUs ?? asked.cpuPeriodUs ?? asked.cpuShares ?? asked.cpusetCpus ?? asked.cpusetMems;
  return {
    ...(memoryAsked === undefined ? {} : { memory: { ...memory, ...liftedMemory(asked) } }),
    ...(cpuAsked === undefined ? {} : { cpu: { ...cpu, ...(isLifted(asked.cpuQuotaUs) ? { quota: -1 } : {}) } }),
    ...(asked.pidsLimit === undefined ? {} : { pids: { limit: isLifted(asked.pidsLimit) ? -1 : asked.pidsLimit } }),
  };
}

function liftedMemory({ memoryBytes, memoryReservationBytes }: ResourceRequest): SpecResources['memory'] {
  return {
    ...(isLifted(memoryBytes) ? { limit: -1 } : {}),
    ...(isLifted(memoryReservationBytes) ? { reservation: -1 } : {}),
  };
}

/** Lifted limits are no longer asked for. Of swap, -1 is a wish of its own as long as memory has a limit. */
function withoutLifted(resources: ResourceRequest): ResourceRequest {
  const swapGoes = isLifted(resources.memoryBytes);
  const kept = Object.entries(resources).filter(([name, value]) => {
    if (name === 'memorySwapBytes') return !swapGoes;
    return typeof value !== 'number' || !isLifted(value);
  });
  return Object.fromEntries(kept);
}

function isLifted(value: number | undefined): boolean {
  return value !== undefined && value < 0;
}

function requireOneCpuLimit(old: ResourceRequest, asked: ResourceRequest): void {
  const quota = (limits: ResourceRequest) => limits.cpuQuotaUs ?? limits.cpuPeriodUs;
  if (asked.nanoCpus !== undefined && quota(old) !== undefined)
    throw refuse('conflicting options: NanoCPUs cannot be updated as CPU Quota or Period has already been set', 'change --cpu-quota');
  if (quota(asked) !== undefined && old.nanoCpus !== undefined)
    throw refuse('conflicting options: CPU Quota or Period cannot be updated as NanoCPUs has already been set', 'change --cpus');
}

function requireRoomForMemory({ memorySwapBytes: swap = 0 }: ResourceRequest, asked: ResourceRequest): void {
  if (asked.memoryBytes === undefined || asked.memorySwapBytes !== undefined || swap <= 0 || asked.memoryBytes <= swap) return;
  throw refuse(
    'memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    'memory-swap is memory plus swap; -1 lifts it',
  );
}

function refuse(message: string, hint: string): EngineError {
  return new EngineError('invalid-argument', message, { code: 'E_CONTAINER_LIMIT', op: 'container.update', hint });
}
