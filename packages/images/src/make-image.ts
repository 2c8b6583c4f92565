/**
 * Images that are made here: layers packed from trees, documents written, and the record that makes them an image.
 *
 * Knows: what has to be there before a record may name it.
 * Does not know: why an image is made.
 */
import type { ContentStore } from '@slipway/content';
import { failPoint } from '@slipway/kernel';
import { type PackedLayer, type PackRequest, type PackSource, PackStream, packTree } from '@slipway/layers';
import {
  type ChainId,
  chainIds,
  type Descriptor,
  type DiffId,
  digestOf,
  formatImageConfig,
  formatManifest,
  MediaTypes,
  parseDiffId,
} from '@slipway/oci';
import type { Image, ImageLayer, NewImage, NewLayer, PackedRootfs } from './image-store.ts';
import type { SelectedImage } from './select-manifest.ts';

/** Layers are packed once and read often, but mostly by this engine: the time to pack them counts more than the last tenth of their size. */
const GZIP_LEVEL = 1;

export type LayerSource = Exclude<PackSource, { kind: 'tree' }>;

/** Packs what a tree adds; undefined for nothing. */
export async function packLayer(
  source: LayerSource,
  content: ContentStore,
  options: Pick<PackRequest, 'latestMtime' | 'compileCacheDir'>,
): Promise<PackedRootfs> {
  await using ingest = await content.ingest();
  const sink = async (bytes: AsyncIterable<Uint8Array>) => {
    for await (const chunk of bytes) await ingest.write(chunk);
  };
  const packed: PackedLayer = await packTree({ source, form: 'gzip', level: GZIP_LEVEL, sink, ...options });
  failPoint('layer.packed');
  if (packed.members === 0) return { layer: undefined, fileBytes: 0, warnings: packed.warnings };
  const { digest, sizeBytes } = await ingest.commit();
  return {
    layer: { descriptor: layerDescriptor(digest, sizeBytes), diffId: packed.diffId },
    fileBytes: packed.fileBytes,
    warnings: packed.warnings,
  };
}

/** Takes a tar as a layer. */
export async function ingestLayer(tar: AsyncIterable<Uint8Array>, content: ContentStore): Promise<NewLayer> {
  await using ingest = await content.ingest();
  const stream = new PackStream();
  for await (const bytes of stream.blob(tar, 'gzip', GZIP_LEVEL)) await ingest.write(bytes);
  const { digest, sizeBytes } = await ingest.commit();
  return { descriptor: layerDescriptor(digest, sizeBytes), diffId: parseDiffId(stream.diffId) };
}

function layerDescriptor(digest: Descriptor['digest'], size: number): Descriptor {
  return { mediaType: MediaTypes.ociLayerGzip, digest, size };
}

/** Writes config and manifest. */
export async function writeDocuments({ config, layers }: NewImage, content: ContentStore): Promise<SelectedImage> {
  const diffIds: readonly DiffId[] = layers.map(({ diffId }) => diffId);
  const whole = { ...config, diffIds };
  const configBytes = formatImageConfig(whole);
  const configDescriptor = { mediaType: MediaTypes.ociConfig, digest: await content.put(configBytes), size: configBytes.byteLength };
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const bytes = formatManifest(configDescriptor, descriptors);
  const descriptor = { mediaType: MediaTypes.ociManifest, digest: await content.put(bytes), size: bytes.byteLength };
  const manifest = { kind: 'manifest', mediaType: MediaTypes.ociManifest, config: configDescriptor, layers: descriptors } as const;
  return { descriptor, manifest, config: whole };
}

/** The image that these documents would be, without writing them. */
export function describeNew({ config, layers }: NewImage, layerBytes: (chainId: ChainId) => number): Image {
  const diffIds = layers.map(({ diffId }) => diffId);
  const whole = { ...config, diffIds };
  const chains = chainIds(diffIds);
  const configBytes = formatImageConfig(whole);
  const id = digestOf(configBytes);
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const bytes = formatManifest({ mediaType: MediaTypes.ociConfig, digest: id, size: configBytes.byteLength }, descriptors);
  const described = layers.flatMap(({ descriptor, diffId }, index): ImageLayer[] => {
    const chainId = chains[index];
    return chainId === undefined ? [] : [{ descriptor, diffId, chainId, sizeBytes: layerBytes(chainId) }];
  });
  return {
    id,
    names: [],
    repoDigests: [],
    manifest: { mediaType: MediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.byteLength },
    config: whole,
    layers: described,
    sizeBytes: described.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    loadedAtMs: Date.now(),
  };
}
