/**
 * A container's root file system becomes an image.
 *
 * Knows: what of a container's configuration an image keeps.
 * Does not know: how layers are packed or images stored (packages/images).
 */
import type { SpanContext } from '@slipway/journal';
import type { ExecutionDefaults, ImageConfig } from '@slipway/oci';
import { emptyImage } from './borrowed-root.ts';
import { type ContainerRecord, type ContainerRequest, snapshotKey } from './container.ts';
import { containerEvent } from './facts.ts';
import { requireImage } from './image-operations.ts';
import type { LiveContainer } from './live-container.ts';
import { mountDestinations } from './mount-points.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import type { EngineContext, EngineImage } from './ports.ts';

export interface CommitOptions {
  /** Name of the new image; absent: it has none. */
  readonly reference?: string;
  readonly author?: string;
  readonly comment?: string;
  /** Freeze a running container meanwhile. */
  readonly pause: boolean;
  /** Dockerfile instructions, one each, applied to the configuration. */
  readonly changes: readonly string[];
  /** What history says made the layer; absent: the command. */
  readonly createdBy?: string;
  /** Seconds since 1970 that the image is dated, and no time in its new layer is later. */
  readonly timestampSeconds?: number;
}

/** @throws invalid-argument / E_DOCKERFILE, E_REFERENCE_INVALID; not-found / E_IMAGE_UNKNOWN when the container's image is gone; unsupported / E_LAYER_PACK */
export async function commitContainer(
  engine: EngineContext,
  container: LiveContainer,
  options: CommitOptions,
  parent?: SpanContext,
): Promise<{ readonly id: string }> {
  const init = { actor: 'engine', name: 'container.commit', protocol: 'function call', container: container.id, parent } as const;
  return engine.tracer.span({ ...init, request: options }, async (span) => {
    const { config: before, layers: below } = await baseOf(engine, container.record);
    const { applyChanges } = await import('@slipway/dockerfile'); // with a parser that few engines need
    const config = applyChanges(before.config, options.changes);
    const freeze = options.pause && container.record.status === 'running';
    if (freeze) await pauseContainer(engine, container, span);
    try {
      const { id, warnings } = await engine.images.making.holding(async () => {
        const mountPoints = [...mountDestinations(container.record.request.host)];
        const times = options.timestampSeconds === undefined ? {} : { latestMtime: options.timestampSeconds };
        const { layer, warnings } = await engine.images.making.packRootfs(snapshotKey(container.record), { mountPoints, ...times });
        const layers = [...below, ...(layer === undefined ? [] : [layer])];
        const history = historyOf(before, config, { ...options, emptyLayer: layer === undefined });
        const names = options.reference === undefined ? [] : [options.reference];
        const made = await engine.images.making.add({ config: { ...before, ...history, config }, layers, names });
        return { id: made.id, warnings };
      });
      for (const warning of warnings) engine.warn(`commit of ${container.id.slice(0, 12)}: ${warning}`);
      containerEvent(engine, container, 'commit', { imageID: id });
      span.note({ response: { id, warnings } });
      return { id };
    } finally {
      if (freeze && container.record.status === 'paused') await unpauseContainer(engine, container, span);
    }
  });
}

/** What the new layer comes upon: the layers of the container's image, and the configuration as it stands. */
async function baseOf(engine: EngineContext, record: ContainerRecord): Promise<Pick<EngineImage, 'config' | 'layers'>> {
  const { request, imageId } = record;
  const image = imageId === '' ? { ...emptyImage(), layers: [] } : await requireImage(engine, imageId, 'container.commit');
  const config = record.imageConfig ?? { ...image.config, config: mergeDefaults(image.config.config, request) };
  return { config, layers: image.layers };
}

/** The configuration that `commit` would give an image: what was set, or what follows from image and request. */
export async function containerImageConfig(engine: EngineContext, { record }: LiveContainer): Promise<ImageConfig> {
  const { config, layers } = await baseOf(engine, record);
  return { ...config, diffIds: layers.map(({ diffId }) => diffId) };
}

/** Sets it, whole; its layers are not read. */
export async function setContainerImageConfig(engine: EngineContext, container: LiveContainer, imageConfig: ImageConfig): Promise<void> {
  await container.exclusive(() => engine.containers.update(container, { imageConfig: { ...imageConfig, diffIds: [] } }));
}

/** What the image said, changed by what the container was created with. */
export function mergeDefaults(image: ExecutionDefaults, request: ContainerRequest): ExecutionDefaults {
  const { cmd: imageCmd, ...rest } = image;
  const own = request.entrypoint !== undefined;
  const asked = request.command !== undefined && request.command.length > 0 ? request.command : undefined;
  const cmd = asked ?? (own ? undefined : imageCmd);
  const named = new Map(image.env.map((entry) => [entry.split('=', 1)[0], entry]));
  for (const entry of request.env) if (entry.includes('=')) named.set(entry.split('=', 1)[0], entry);
  return {
    ...rest,
    env: [...named.values()],
    labels: { ...image.labels, ...request.labels },
    ...(own ? { entrypoint: request.entrypoint ?? [] } : {}),
    ...(cmd === undefined ? {} : { cmd }),
    ...(request.user === undefined ? {} : { user: request.user }),
    ...(request.workingDir === undefined ? {} : { workingDir: request.workingDir }),
    ...(request.stopSignal === undefined ? {} : { stopSignal: request.stopSignal }),
  };
}

function historyOf(
  image: ImageConfig,
  config: ExecutionDefaults,
  { author, comment, createdBy, timestampSeconds, emptyLayer }: CommitOptions & { readonly emptyLayer: boolean },
): Pick<ImageConfig, 'created' | 'author' | 'history'> {
  const created = new Date(timestampSeconds === undefined ? Date.now() : timestampSeconds * 1000).toISOString();
  const by = { createdBy: createdBy ?? (config.cmd ?? []).join(' '), ...(author ? { author } : {}), ...(comment ? { comment } : {}) };
  const step = { created, ...by, emptyLayer };
  // A last step that is dated with nothing says what commit's own is to be called.
  const last = image.history.at(-1);
  const before = last?.created === '' ? image.history.slice(0, -1) : image.history;
  return { created, ...(author ? { author } : {}), history: [...before, step] };
}
