/**
 * What a registry has to know of a manifest: its kind, what it needs, and whom it refers to.
 *
 * Knows: the fields of images, indexes and artifacts, and which documents two readers could read in two ways.
 * Does not know: whether what it names is there; nor what is in a config or a layer, any type of which is welcome.
 */
import {
  type Descriptor,
  type Digest,
  FieldReader,
  isIndexType,
  isManifestType,
  type JsonObject,
  MAX_MANIFEST_BYTES,
  MediaTypes,
  parseJsonObject,
  readDescriptor,
} from '@slipway/oci';

export interface ManifestFacts {
  readonly mediaType: string;
  /** Must be blobs of the repository. */
  readonly blobs: readonly Digest[];
  /** Must be manifests of the repository. */
  readonly manifests: readonly Digest[];
  /** May be missing. */
  readonly subject?: Digest;
  /** What the list of referrers says of it. */
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const MAX_LAYERS = 4096;
const MAX_MANIFESTS = 1024;
/** Layers that their makers do not allow to be pushed; a registry does without them. */
const FOREIGN_LAYER = /^application\/vnd\.(?:docker\.image\.rootfs\.foreign\.|oci\.image\.layer\.nondistributable\.v1\.)/;

/**
 * @param announced the request's Content-Type; absent: the document's own word counts
 * @throws EngineError `invalid-argument` / `E_DOCUMENT_INVALID`
 */
export function readManifestFacts(bytes: Uint8Array, announced?: string): ManifestFacts {
  const document = parseJsonObject('manifest', bytes, MAX_MANIFEST_BYTES);
  const read = new FieldReader('manifest');
  const isIndex = document['manifests'] !== undefined;
  const mediaType = readMediaType(read, document, announced, isIndex);
  const subject = document['subject'] === undefined ? undefined : readDescriptor(read, document['subject'], '/subject');
  const annotations = read.textMap(document['annotations'], '/annotations', 1024);
  const named = isIndex ? readIndex(read, document) : readImage(read, document);
  const artifactType = read.text(document['artifactType'], '/artifactType', 255) || named.fallbackType;
  read.finish();
  return {
    mediaType,
    blobs: named.blobs,
    manifests: named.manifests,
    ...(subject === undefined ? {} : { subject: subject.digest }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** One document, one meaning: both shapes at once, or a type that contradicts shape or header, are refused. */
function readMediaType(read: FieldReader, document: JsonObject, announced: string | undefined, isIndex: boolean): string {
  if (isIndex && ['layers', 'config', 'fsLayers'].some((field) => document[field] !== undefined)) {
    read.issue('', 'has both manifests and layers, so it is neither');
  }
  if (document['schemaVersion'] === 1) read.issue('/schemaVersion', 'is 1, which docker gave up; push schema 2 or OCI');
  else if (document['schemaVersion'] !== 2) read.issue('/schemaVersion', 'must be 2');
  const own = read.text(document['mediaType'], '/mediaType', 255);
  if (own !== undefined && announced !== undefined && own !== announced) {
    read.issue('/mediaType', `is ${JSON.stringify(own)} but was announced as ${JSON.stringify(announced)}`);
  }
  const mediaType = own ?? announced ?? (isIndex ? MediaTypes.ociIndex : MediaTypes.ociManifest);
  // OCI allows the field to be absent, Docker does not: without it, the same bytes could be announced as either.
  const isOci = mediaType === MediaTypes.ociIndex || mediaType === MediaTypes.ociManifest;
  if (own === undefined && !isOci) read.issue('/mediaType', 'is missing');
  if (isIndex ? !isIndexType(mediaType) : !isManifestType(mediaType)) {
    read.issue('/mediaType', `${JSON.stringify(mediaType)} is not a type of such a document`);
  }
  return mediaType;
}

interface Named {
  readonly blobs: readonly Digest[];
  readonly manifests: readonly Digest[];
  /** The artifact type of a document that states none. */
  readonly fallbackType?: string;
}

function readIndex(read: FieldReader, document: JsonObject): Named {
  const list = read.list(document['manifests'], '/manifests', MAX_MANIFESTS) ?? [];
  const manifests = list.map((entry, at) => readDescriptor(read, entry, `/manifests/${at}`)).filter((entry) => entry !== undefined);
  return { blobs: [], manifests: unique(manifests) };
}

function readImage(read: FieldReader, document: JsonObject): Named {
  const config = readDescriptor(read, document['config'], '/config');
  if (document['layers'] === undefined) read.issue('/layers', 'is missing');
  const list = read.list(document['layers'], '/layers', MAX_LAYERS) ?? [];
  const layers = list.map((entry, at) => readDescriptor(read, entry, `/layers/${at}`)).filter((entry) => entry !== undefined);
  const kept = layers.filter(({ mediaType }) => !FOREIGN_LAYER.test(mediaType));
  if (config === undefined) return { blobs: unique(kept), manifests: [] };
  return { blobs: unique([config, ...kept]), manifests: [], fallbackType: config.mediaType };
}

function unique(descriptors: readonly Descriptor[]): Digest[] {
  return [...new Set(descriptors.map(({ digest }) => digest))];
}
