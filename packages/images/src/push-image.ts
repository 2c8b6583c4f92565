/**
 * Pushing: layers and config first, then the manifest that names them, under the image's name.
 *
 * Knows: the order, and which repository may already have a layer.
 * Does not know: HTTP (packages/registry-client).
 */
import type { ContentStore } from '@slipway/content';
import { type Descriptor, MAX_MANIFEST_BYTES, parseManifestOrIndex, type Reference } from '@slipway/oci';
import type { Repository } from '@slipway/registry-client';
import type { Image } from './image-store.ts';
import type { PushOptions } from './registry-port.ts';

const SIDE_BY_SIDE = 3;

export interface PushParts {
  readonly content: ContentStore;
  readonly repository: Repository;
  /** Every image here, to find where layers were pulled from or pushed to. */
  readonly others: readonly Image[];
}

/** Inside a hold of the store. @throws as Repository.pushBlob and Repository.putManifest */
export async function pushImage(parts: PushParts, image: Image, reference: Reference, options: PushOptions): Promise<void> {
  const { content, repository } = parts;
  const bytes = await content.read(image.manifest.digest, MAX_MANIFEST_BYTES);
  const manifest = parseManifestOrIndex(bytes, image.manifest.mediaType);
  if (manifest.kind !== 'manifest') return;
  const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
  options.onProgress?.({ phase: 'layers', origin: repository.origin, layers });
  const waiting = [...layers];
  const worker = async () => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) await pushLayer(parts, layer, { reference, options });
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  await repository.pushBlob(manifest.config, sourceOf(content, manifest.config), { signal: options.signal });
  await repository.putManifest(reference.tag ?? 'latest', bytes, image.manifest, options.signal);
}

async function pushLayer(
  { content, repository, others }: PushParts,
  layer: Descriptor,
  { reference, options }: { readonly reference: Reference; readonly options: PushOptions },
): Promise<void> {
  const { onProgress, signal } = options;
  const mountFrom = elsewhere(layer, reference, others);
  onProgress?.({ phase: 'upload', layer, state: 'started', bytes: 0 });
  const outcome = await repository.pushBlob(layer, sourceOf(content, layer), {
    mountFrom,
    signal,
    onProgress: (bytes) => onProgress?.({ phase: 'upload', layer, state: 'progress', bytes }),
  });
  onProgress?.({
    phase: 'upload',
    layer,
    state: outcome,
    bytes: layer.size,
    ...(outcome === 'mounted' && mountFrom !== undefined ? { from: mountFrom } : {}),
  });
}

/** Path of another repository of the same registry that had an image with this layer. */
function elsewhere(layer: Descriptor, { domain, path }: Reference, others: readonly Image[]): string | undefined {
  for (const { layers, repoDigests } of others) {
    if (!layers.some(({ descriptor }) => descriptor.digest === layer.digest)) continue;
    const names = repoDigests.map((name) => name.slice(0, name.indexOf('@')));
    const found = names.find((name) => name.startsWith(`${domain}/`) && name !== `${domain}/${path}`);
    if (found !== undefined) return found.slice(domain.length + 1);
  }
  return undefined;
}

function sourceOf(content: ContentStore, { digest }: Descriptor) {
  return {
    read: async function* (start: number, length: number): AsyncGenerator<Uint8Array> {
      const blob = await content.open(digest);
      try {
        if (length > 0) yield* blob.stream({ start, length }) as AsyncIterable<Uint8Array>;
      } finally {
        await blob.close();
      }
    },
  };
}
