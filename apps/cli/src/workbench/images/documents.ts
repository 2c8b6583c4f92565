/**
 * What an image's documents point at, read from JSON that anybody may have written.
 *
 * Knows: the fields of index, manifest and config that lead on; what does not fit is passed over, since the document itself is shown, too.
 * Does not know: where documents come from.
 *
 * @spec image-spec/image-index.md#image-index-property-descriptions
 */
import type { ImageNode } from '@slipway/contracts';
import { type Digest, isConfigType, isDigest, isIndexType, isManifestType, isObject, type JsonObject, type Platform } from '@slipway/oci';

export interface Pointer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly kind: ImageNode['kind'];
  readonly platform?: Platform;
}

const MAX_POINTERS = 256;

/** Of an index: its manifests; of a manifest: its config, then its layers, lowest first. Undefined for what is no JSON object. */
export function pointersOf(document: JsonObject): readonly Pointer[] {
  const manifests = list(document['manifests']);
  if (manifests.length > 0) return manifests.flatMap((entry) => read(entry));
  return [...read(document['config'], 'config'), ...list(document['layers']).flatMap((entry) => read(entry, 'layer'))];
}

export function parseDocument(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What a document is by its own account, where nothing announced it. */
export function kindOfDocument(document: JsonObject, mediaType: string): ImageNode['kind'] {
  if (isIndexType(mediaType)) return 'index';
  if (isManifestType(mediaType)) return 'manifest';
  if (Array.isArray(document['manifests'])) return 'index';
  return Array.isArray(document['layers']) ? 'manifest' : 'other';
}

export interface LayerFacts {
  readonly diffId?: string;
  readonly createdBy?: string;
}

/** What a config says of its layers, lowest first. @spec image-spec/config.md#properties */
export function layersOfConfig(config: JsonObject): readonly LayerFacts[] {
  const rootfs = isObject(config['rootfs']) ? config['rootfs'] : {};
  const steps = list(config['history']).filter((step) => isObject(step) && step['empty_layer'] !== true);
  return list(rootfs['diff_ids'])
    .slice(0, MAX_POINTERS)
    .map((diffId, index) => {
      const step = steps[index];
      const createdBy = isObject(step) ? step['created_by'] : undefined;
      return {
        ...(typeof diffId === 'string' && isDigest(diffId) ? { diffId } : {}),
        ...(typeof createdBy === 'string' ? { createdBy: createdBy.slice(0, 2000) } : {}),
      };
    });
}

function read(value: unknown, role?: 'config' | 'layer'): readonly Pointer[] {
  if (!isObject(value)) return [];
  const { digest, mediaType, size } = value;
  if (typeof digest !== 'string' || !isDigest(digest)) return [];
  const type = typeof mediaType === 'string' ? mediaType.slice(0, 255) : '';
  const platform = platformOf(value['platform']);
  return [
    {
      digest,
      mediaType: type,
      sizeBytes: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : 0,
      kind: kindOf(type, role),
      ...(platform === undefined ? {} : { platform }),
    },
  ];
}

function kindOf(mediaType: string, role: 'config' | 'layer' | undefined): ImageNode['kind'] {
  if (isIndexType(mediaType)) return 'index';
  if (isManifestType(mediaType)) return 'manifest';
  if (role === 'config') return isConfigType(mediaType) ? 'config' : 'other';
  return role === 'layer' && /layer|rootfs/.test(mediaType) ? 'layer' : 'other';
}

function platformOf(value: unknown): Platform | undefined {
  if (!isObject(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return {
    os: os.slice(0, 64),
    architecture: architecture.slice(0, 64),
    ...(typeof variant === 'string' ? { variant: variant.slice(0, 64) } : {}),
  };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_POINTERS) : [];
}
