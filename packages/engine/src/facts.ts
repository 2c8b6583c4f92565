/**
 * What the engine tells others about a container: journal facts and events.
 *
 * Knows: which of its fields a picture or a listener needs.
 * Does not know: who is listening.
 */
import type { ContainerFact } from '@slipway/journal';
import type { ContainerStatus } from './container.ts';
import type { LiveContainer } from './live-container.ts';
import type { EngineContext } from './ports.ts';

const STATUS: Readonly<Record<ContainerStatus, ContainerFact['status']>> = {
  created: 'created',
  running: 'running',
  paused: 'paused',
  exited: 'exited',
  removing: 'exited',
  dead: 'exited',
};

/** Writes the container's state, whole, to the journal. `atMs`: when it became so, if that was earlier. */
export function noteContainer(engine: EngineContext, container: LiveContainer, options: { removed?: boolean; atMs?: number } = {}): void {
  engine.emit({ type: 'container', container: toFact(container, options.removed === true) }, options.atMs);
}

function toFact({ record, cgroups }: LiveContainer, removed: boolean): ContainerFact {
  const { request, process } = record;
  const { resources, network } = request.host;
  const cpus = resources.nanoCpus !== undefined ? resources.nanoCpus / 1e9 : quotaCpus(resources.cpuQuotaUs, resources.cpuPeriodUs);
  const alive = record.status === 'running' || record.status === 'paused';
  return {
    id: record.id,
    name: record.name,
    image: request.image,
    command: process.args.slice(0, 32).map((arg) => arg.slice(0, 256)),
    status: removed ? 'removed' : STATUS[record.status],
    createdAt: record.createdAt,
    api: request.api,
    network,
    hostname: process.hostname,
    ...(alive && record.pid !== undefined ? { pid: record.pid } : {}),
    ...(alive && record.shimPid !== undefined ? { shimPid: record.shimPid } : {}),
    ...(alive || record.exit === undefined ? {} : { exitCode: record.exit.code, oomKilled: record.exit.oomKilled }),
    ...(resources.memoryBytes === undefined ? {} : { memoryLimitBytes: resources.memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
    ...((resources.pidsLimit ?? 0) > 0 ? { pidsLimit: resources.pidsLimit ?? 0 } : {}),
    ...(cgroups === undefined ? {} : { cgroups }),
  };
}

function quotaCpus(quotaUs: number | undefined, periodUs = 100_000): number | undefined {
  return quotaUs === undefined || quotaUs <= 0 ? undefined : quotaUs / periodUs;
}

/** Tells event listeners; image, name and labels always go along, as Docker's clients filter by them. */
export function containerEvent(
  engine: EngineContext,
  container: LiveContainer,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): void {
  const { id, name, request, process } = container.record;
  engine.events.publish({ type: 'container', action, id, attributes: { ...process.labels, image: request.image, name, ...attributes } });
}
