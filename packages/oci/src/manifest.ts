/**
 * Manifests and indexes: one platform's image, and the list of them.
 *
 * Knows: their fields, their limits, and that a document must be one or the other.
 * Does not know: the blobs behind the descriptors.
 */
import { type Descriptor, readDescriptor } from './descriptor.ts';
import { FieldReader, type JsonObject, MAX_MANIFEST_BYTES, parseJsonObject } from './document.ts';
import { isConfigType, isIndexType, isManifestType, layerCompression, MediaTypes } from './media-types.ts';

/** @spec image-spec/manifest.md#image-manifest-property-descriptions */
export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Bottom layer first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** @spec image-spec/image-index.md#image-index-property-descriptions */
export interface Index {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Overlay accepts 500 lower directories, docker 127 layers; a longer list is an attack or a mistake. */
const MAX_LAYERS = 256;
const MAX_MANIFESTS = 1024;

/**
 * Reads a manifest or an index.
 *
 * A document that could be taken for both (`manifests` beside `layers` or `config`), or whose `mediaType` contradicts its
 * fields or the type it was announced as, is refused: two readers would see two different images in the same digest.
 *
 * @param announced media type of the descriptor or header that led here; absent when nothing announced it
 * @throws EngineError `invalid-argument` / `E_DOCUMENT_INVALID`
 */
export function parseManifestOrIndex(bytes: Uint8Array, announced?: string): Manifest | Index {
  const document = parseJsonObject('manifest', bytes, MAX_MANIFEST_BYTES);
  const read = new FieldReader('manifest');
  const looksLikeIndex = document['manifests'] !== undefined;
  const looksLikeManifest = document['layers'] !== undefined || document['config'] !== undefined || document['fsLayers'] !== undefined;
  if (looksLikeIndex && looksLikeManifest) read.issue('', 'has both manifests and layers, so it is neither');
  if (document['schemaVersion'] !== 2) read.issue('/schemaVersion', 'must be 2');
  const own = read.text(document['mediaType'], '/mediaType', 255);
  if (own !== undefined && announced !== undefined && own !== announced) {
    read.issue('/mediaType', `is ${JSON.stringify(own)} but was announced as ${JSON.stringify(announced)}`);
  }
  const mediaType = own ?? announced ?? (looksLikeIndex ? MediaTypes.ociIndex : MediaTypes.ociManifest);
  if (looksLikeIndex ? !isIndexType(mediaType) : !isManifestType(mediaType)) {
    read.issue('/mediaType', `${JSON.stringify(mediaType)} does not fit the fields`);
  }
  return looksLikeIndex ? readIndex(read, document, mediaType) : readManifest(read, document, mediaType);
}

function readManifest(read: FieldReader, document: JsonObject, mediaType: string): Manifest {
  const config = readDescriptor(read, document['config'], '/config');
  if (config !== undefined && !isConfigType(config.mediaType)) {
    read.issue('/config/mediaType', `${JSON.stringify(config.mediaType)} is not an image config`);
  }
  const layers = (read.list(document['layers'], '/layers', MAX_LAYERS) ?? []).map((layer, i) =>
    readDescriptor(read, layer, `/layers/${i}`),
  );
  layers.forEach((layer, i) => {
    if (layer !== undefined && layerCompression(layer.mediaType) === undefined) {
      read.issue(`/layers/${i}/mediaType`, `${JSON.stringify(layer.mediaType)} is not a layer this engine can unpack`);
    }
  });
  const annotations = read.textMap(document['annotations'], '/annotations', 1024);
  if (document['layers'] === undefined) read.issue('/layers', 'is missing');
  read.finish();
  return {
    kind: 'manifest',
    mediaType,
    config: config as Descriptor,
    layers: layers.filter((layer) => layer !== undefined),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function readIndex(read: FieldReader, document: JsonObject, mediaType: string): Index {
  const list = read.list(document['manifests'], '/manifests', MAX_MANIFESTS) ?? [];
  const manifests = list.map((entry, i) => readDescriptor(read, entry, `/manifests/${i}`)).filter((entry) => entry !== undefined);
  const annotations = read.textMap(document['annotations'], '/annotations', 1024);
  read.finish();
  return { kind: 'index', mediaType, manifests, ...(annotations === undefined ? {} : { annotations }) };
}
