/**
 * The registry beside the engine, where the settings ask for one. Neither knows the other: it has a directory and an address of its own.
 *
 * Knows: which settings are its own.
 * Does not know: how a registry works.
 */
import type { Tracer } from '@slipway/journal';
import type { Logger } from 'pino';
import type { DaemonConfig } from './config.ts';
import { registrySpan } from './registry-spans.ts';

/** What the workbench in a lab machine calls itself (apps/cli/src/workbench/images/machine-registry.ts). */
const ONLOOKER = 'slipway-workbench';

/** Its requests go into the engine's journal. The daemon holds the lock of the root directory. @throws as serveRegistry */
export async function startRegistry(config: DaemonConfig, tracer: Tracer, log: Logger): Promise<{ stop(): Promise<void> }> {
  const { registryListen: listen, registryImages: images } = config;
  if (listen === undefined) return { stop: async () => undefined };
  const { serveRegistry } = await import('@slipway/registry');
  const registry = await serveRegistry({
    root: `${config.root}/registry`,
    listen,
    ...(images === undefined ? {} : { images }),
    onInternalError: (error) => log.error({ err: error }, 'internal error of the registry'),
    // Pictures of images ask for documents: looking must not add to what is looked at.
    onRequest: (record) => void (record.userAgent === ONLOOKER || tracer.record(registrySpan(record))),
  });
  if (registry.isPublic) log.warn({ address: registry.address }, 'whoever reaches the registry may push to it');
  log.info({ address: registry.address }, 'serving a registry');
  return { stop: () => registry.close() };
}
