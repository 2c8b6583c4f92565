/**
 * Manifests of one family in the other's words.
 *
 * Knows: that OCI's and docker's schema 2 say the same with other media types. The config's bytes, and so the image's id, stay as they are.
 * Does not know: blobs.
 */
import { type Descriptor, digestOf, isConfigType, isIndexType, type LayerCompression, layerCompression, MediaTypes } from '@slipway/oci';
import { UsageError } from '../flags.ts';
import type { ImageManifest } from './manifest.ts';
import type { ManifestBytes, ManifestFamily } from './transport.ts';

export function familyOf(mediaType: string): ManifestFamily {
  return mediaType === MediaTypes.dockerManifest || mediaType === MediaTypes.dockerManifestList ? 'docker' : 'oci';
}

const LAYER_TYPES: Readonly<Record<ManifestFamily, Partial<Record<LayerCompression, string>>>> = {
  oci: { none: MediaTypes.ociLayer, gzip: MediaTypes.ociLayerGzip, zstd: MediaTypes.ociLayerZstd, detect: MediaTypes.ociLayerGzip },
  docker: { none: MediaTypes.dockerLayer, gzip: MediaTypes.dockerLayerGzip, detect: MediaTypes.dockerLayerGzip },
};

/** The layer's type in a family; `packing` where it is known better than the type says. @throws UsageError where the family has none */
export function layerTypeIn(family: ManifestFamily, mediaType: string, packing?: LayerCompression): string {
  // What is no layer of a root file system keeps its name.
  if (packing === undefined && (familyOfLayer(mediaType) === family || layerCompression(mediaType) === undefined)) return mediaType;
  const type = LAYER_TYPES[family][packing ?? layerCompression(mediaType) ?? 'detect'];
  if (type === undefined) throw new UsageError(`a layer of ${mediaType} has no name among docker's: copy it with --format oci`);
  return type;
}

function familyOfLayer(mediaType: string): ManifestFamily {
  return mediaType.startsWith('application/vnd.docker.') ? 'docker' : 'oci';
}

/** An image's manifest with these layers, in a family's words and order. @throws UsageError for an artifact, which docker has no words for */
export function formatManifest(family: ManifestFamily, manifest: ImageManifest, layers: readonly Descriptor[]): ManifestBytes {
  const { config, others } = manifest;
  if (family === 'docker') {
    if (!isConfigType(config.mediaType)) throw new UsageError(`an artifact of ${config.mediaType} has no name among docker's`);
    return formatDockerManifest({ ...config, mediaType: MediaTypes.dockerConfig }, layers);
  }
  const plain = ({ mediaType, digest, size, annotations }: Descriptor) => ({
    mediaType,
    digest,
    size,
    ...(annotations === undefined ? {} : { annotations }),
  });
  const configType = isConfigType(config.mediaType) ? MediaTypes.ociConfig : config.mediaType;
  return encode(MediaTypes.ociManifest, {
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: plain({ ...config, mediaType: configType }),
    layers: layers.map(plain),
    ...others,
  });
}

export function formatDockerManifest(config: Descriptor, layers: readonly Descriptor[]): ManifestBytes {
  const plain = ({ mediaType, size, digest }: Descriptor) => ({ mediaType, size, digest });
  const mediaType = MediaTypes.dockerManifest;
  return encode(mediaType, { schemaVersion: 2, mediaType, config: plain(config), layers: layers.map(plain) });
}

/** An index over these manifests, in the family's words; the same bytes when nothing changed. */
export function formatIndex(family: ManifestFamily, index: ManifestBytes, children: ReadonlyMap<string, ManifestBytes>): ManifestBytes {
  const document = JSON.parse(Buffer.from(index.bytes).toString()) as { manifests: Descriptor[] };
  const changed = [...children].some(([digest, { bytes }]) => digestOf(bytes) !== digest);
  const mediaType = family === 'docker' ? MediaTypes.dockerManifestList : MediaTypes.ociIndex;
  if (!changed && isIndexType(index.mediaType) && familyOf(index.mediaType) === family) return index;
  const manifests = document.manifests.map((entry) => {
    const child = children.get(entry.digest);
    return child === undefined
      ? entry
      : { ...entry, mediaType: child.mediaType, digest: digestOf(child.bytes), size: child.bytes.byteLength };
  });
  return encode(mediaType, { ...document, mediaType, manifests });
}

function encode(mediaType: string, document: object): ManifestBytes {
  return { mediaType, bytes: Buffer.from(JSON.stringify(document)) };
}
