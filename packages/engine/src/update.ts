/**
 * Changing a container's limits: of the cgroup where it runs, and of its document for the next start.
 *
 * Knows: the order; a refused limit leaves everything as it was.
 * Does not know: which limits make sense (plan-update.ts), nor control files (packages/runtime).
 */
import { EngineError } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { findText, writeFileAtomic } from '@slipway/kernel';
import { formatSpecJson, parseSpecJson, type RuntimeSpec, SPEC_MAX_BYTES, type SpecResources } from '@slipway/oci';
import type { ResourceRequest } from './container.ts';
import { containerEvent, noteContainer } from './facts.ts';
import { requireAllowed } from './lifecycle.ts';
import type { LiveContainer } from './live-container.ts';
import { planUpdate } from './plan-update.ts';
import type { EngineContext } from './ports.ts';

/** @throws invalid-argument / E_CONTAINER_LIMIT; what the runtime refuses */
export async function updateContainer(
  engine: EngineContext,
  container: LiveContainer,
  asked: ResourceRequest,
  parent?: SpanContext,
): Promise<void> {
  const init = { actor: 'engine', name: 'container.update', protocol: 'function call', container: container.id, parent } as const;
  await engine.tracer.span({ ...init, request: asked }, (span) =>
    container.exclusive(async () => {
      requireAllowed(container.record, 'update');
      const { request, status } = container.record;
      const { resources, document, changes } = planUpdate(request.host, asked);
      if (status === 'running' || status === 'paused') await tellRuntime(engine, container, changes, span);
      await rewriteBundle(engine, container.id, document);
      container.spec = undefined; // from now on the file says more
      await engine.containers.update(container, { request: { ...request, host: { ...request.host, resources } } });
      containerEvent(engine, container, 'update');
      noteContainer(engine, container);
    }),
  );
}

async function tellRuntime(engine: EngineContext, { id }: LiveContainer, changes: SpecResources, parent: SpanContext): Promise<void> {
  const init = { actor: 'runtime', name: 'runtime.update', protocol: 'function call', container: id, parent, request: changes } as const;
  await engine.tracer.span(init, () => engine.runtime.update(id, changes));
}

/** config.json is read at each start. */
async function rewriteBundle(engine: EngineContext, id: string, resources: SpecResources): Promise<void> {
  const path = `${engine.containers.directory(id)}/config.json`;
  const text = await findText(path, { maxBytes: SPEC_MAX_BYTES });
  if (text === undefined) {
    throw new EngineError('data-loss', 'the container’s config.json is missing', {
      code: 'E_STATE_DAMAGED',
      op: 'container.update',
      subject: id,
      hint: 'remove the container and create it again',
    });
  }
  const spec = parseSpecJson(text) as RuntimeSpec;
  await writeFileAtomic(path, formatSpecJson({ ...spec, linux: { ...spec.linux, resources } }), { durable: false });
}
