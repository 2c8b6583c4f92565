/**
 * Images as clients ask for them: what is here, what comes in, what goes.
 *
 * Knows: that an image in use is not removed.
 * Does not know: how images are stored (packages/images).
 */
import { EngineError, hasCode, isKind } from '@slipway/errors';
import type { SpanContext } from '@slipway/journal';
import { formatReference, parseReference } from '@slipway/oci';
import { adoptedLayers, layerBytes } from './disk-usage.ts';
import type { EngineContext, EngineImage, LoadedImage } from './ports.ts';

export async function listImages(engine: EngineContext): Promise<readonly EngineImage[]> {
  return engine.images.list();
}

/** @throws not-found / E_IMAGE_UNKNOWN */
export async function requireImage(engine: EngineContext, reference: string, op: string): Promise<EngineImage> {
  const image = await engine.images.find(reference);
  if (image !== undefined) return image;
  throw new EngineError('not-found', `No such image: ${reference.slice(0, 200)}`, { code: 'E_IMAGE_UNKNOWN', op });
}

/** Images as one archive. @throws not-found / E_IMAGE_UNKNOWN before the first byte */
export async function saveImages(engine: EngineContext, references: readonly string[]): Promise<AsyncIterable<Uint8Array>> {
  for (const reference of references) await requireImage(engine, reference, 'image.save');
  return engine.images.making.save(references);
}

/** Removes images that no container uses: those without a name, or all. */
export async function pruneImages(
  engine: EngineContext,
  wanted: (image: EngineImage) => boolean,
): Promise<{ readonly untagged: readonly string[]; readonly deleted: readonly string[]; readonly freedBytes: number }> {
  const used = new Set(engine.containers.all().map(({ record }) => record.imageId));
  const [untagged, deleted]: [string[], string[]] = [[], []];
  const before = await engine.images.list();
  const adopted = await adoptedLayers(engine);
  for (const image of before) {
    if (used.has(image.id) || !wanted(image)) continue;
    const removed = await removeUnused(engine, image.id);
    untagged.push(...(removed?.untagged ?? []));
    deleted.push(...(removed?.deleted ?? []));
  }
  return { untagged, deleted, freedBytes: layerBytes(before, adopted) - layerBytes(await engine.images.list(), adopted) };
}

/** undefined when somebody else has removed it meanwhile, or begun to use it. */
async function removeUnused(engine: EngineContext, id: string): Promise<Awaited<ReturnType<typeof removeImage>> | undefined> {
  try {
    return await removeImage(engine, id, { force: true });
  } catch (error) {
    if (isKind(error, 'not-found') || hasCode(error, 'E_IMAGE_IN_USE')) return undefined;
    throw error;
  }
}

/** Reads an archive into the store. */
export async function loadImages(
  engine: EngineContext,
  archive: AsyncIterable<Uint8Array>,
  parent?: SpanContext,
): Promise<readonly LoadedImage[]> {
  return engine.tracer.span({ actor: 'store', name: 'image.load', protocol: 'function call', parent }, async (span) => {
    const loaded = await engine.images.load(archive);
    span.note({ response: loaded });
    for (const { id, references } of loaded) {
      engine.events.publish({ type: 'image', action: 'load', id, attributes: { name: references[0] ?? id } });
    }
    return loaded;
  });
}

/**
 * @throws not-found / E_IMAGE_UNKNOWN; failed-precondition / E_IMAGE_IN_USE naming a container that needs it. `force` lets stopped
 *   containers' images go, as their own snapshots keep what they need.
 */
export async function removeImage(
  engine: EngineContext,
  reference: string,
  options: { readonly force: boolean },
): Promise<{ readonly untagged: readonly string[]; readonly deleted: readonly string[] }> {
  const image = await requireImage(engine, reference, 'image.remove');
  const losesLastName = image.references.length <= 1 || (options.force && !isNameOf(reference, image));
  const user = engine.containers.all().find(({ record }) => record.imageId === image.id);
  if (user !== undefined && losesLastName) {
    const running = user.record.status === 'running' || user.record.status === 'paused';
    if (running || !options.force) {
      const what = running ? 'is being used by running container' : 'is being used by stopped container';
      throw new EngineError(
        'failed-precondition',
        `conflict: unable to remove repository reference "${reference}": it ${what} ${user.id.slice(0, 12)}`,
        {
          code: 'E_IMAGE_IN_USE',
          op: 'image.remove',
          subject: reference,
          hint: 'remove the container first',
        },
      );
    }
  }
  const removed = await engine.images.remove(reference, options);
  engine.events.publish({ type: 'image', action: 'delete', id: image.id, attributes: { name: reference } });
  return removed;
}

/** False for what found it by its id: that takes all of its names. */
function isNameOf(text: string, { references }: EngineImage): boolean {
  try {
    return references.includes(formatReference(parseReference(text)));
  } catch (error) {
    if (hasCode(error, 'E_REFERENCE_INVALID')) return false;
    throw error;
  }
}
