/**
 * When the engine's images, or the engine itself, changed last, as far as the journal tells.
 *
 * Knows: which requests change images, and which processes are engines. Pure. Does not know: which images.
 */
import type { World } from '@slipway/journal';

const CHANGES = [
  /^POST \/(?:v[\d.]+\/)?(?:images\/(?:create|load|.+\/(?:tag|push)|prune)|build|commit)\b/,
  /^DELETE \/(?:v[\d.]+\/)?images\//,
  /^PUT \/v2\/.+\/manifests\//,
];
/** What is looked through: a change is told soon after it happened. */
const NEWEST = 30;

/** The same as long as nothing changed; another for each request that ended since, and when an engine has come or gone. */
export function imageChange({ traces, processes }: Pick<World, 'traces' | 'processes'>): string {
  const ended = traces
    .slice(-NEWEST)
    .flatMap(({ spans }) => spans)
    .filter(({ name, endMs }) => endMs !== undefined && CHANGES.some((pattern) => pattern.test(name)));
  const engines = processes.filter(({ fact, goneAtMs }) => fact.role === 'engine' && goneAtMs === undefined);
  return [ended.at(-1)?.id ?? '', ...engines.map(({ key }) => key)].join(' ');
}
