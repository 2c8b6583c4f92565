/**
 * What an archive holds: images with names, in either of the two layouts.
 *
 *     OCI layout      oci-layout, index.json, blobs/sha256/…
 *     docker-archive  manifest.json naming a config and layer tars
 *
 * `docker save` writes both at once; then the OCI side says what the images are, and manifest.json adds names.
 *
 * Knows: both layouts' documents.
 * Does not know: platforms (select-manifest.ts) or unpacking.
 *
 * @spec image-spec/image-layout.md
 */
import type { ContentStore } from '@slipway/content';
import {
  type Descriptor,
  type Digest,
  formatReference,
  isObject,
  MAX_MANIFEST_BYTES,
  MediaTypes,
  parseManifestOrIndex,
  parseReference,
} from '@slipway/oci';
import { type ArchiveFiles, invalidArchive } from './archive-files.ts';

/** One image of an archive. */
export interface ArchiveImage {
  /** Manifest or index. */
  readonly target: Descriptor;
  /** Full names. */
  readonly names: readonly string[];
}

export interface ArchiveContents {
  readonly images: readonly ArchiveImage[];
  /** Names that manifest.json gives to the image with this config; for archives that hold both layouts. */
  readonly namesByConfig: ReadonlyMap<Digest, readonly string[]>;
}

/** Images in one archive; real ones hold a few. */
const MAX_IMAGES = 256;
const NAME_ANNOTATION = 'io.containerd.image.name';
const REF_ANNOTATION = 'org.opencontainers.image.ref.name';

/** @throws EngineError `invalid-argument` / `E_ARCHIVE_INVALID`, `E_DOCUMENT_INVALID`, `E_REFERENCE_INVALID` */
export async function readArchiveImages(files: ArchiveFiles, content: ContentStore): Promise<ArchiveContents> {
  const indexFile = files.find('index.json');
  const manifestFile = files.find('manifest.json');
  const docker = manifestFile === undefined ? [] : readDockerManifests(await content.read(manifestFile.digest, MAX_MANIFEST_BYTES));
  if (indexFile !== undefined && files.find('oci-layout') !== undefined) {
    const images = readOciIndex(await content.read(indexFile.digest, MAX_MANIFEST_BYTES));
    const named = docker.map(({ config, names }) => [files.find(config)?.digest, names] as const);
    return { images, namesByConfig: new Map(named.flatMap(([digest, names]) => (digest === undefined ? [] : [[digest, names] as const]))) };
  }
  if (docker.length === 0) throw invalidArchive('it has neither an OCI layout nor a manifest.json');
  const images: ArchiveImage[] = [];
  for (const entry of docker) images.push({ target: await buildManifest(entry, files, content), names: entry.names });
  return { images, namesByConfig: new Map() };
}

function readOciIndex(bytes: Uint8Array): ArchiveImage[] {
  const index = parseManifestOrIndex(bytes);
  if (index.kind !== 'index') throw invalidArchive('its index.json is not an index');
  if (index.manifests.length > MAX_IMAGES) throw invalidArchive(`it holds more than ${MAX_IMAGES} images`);
  return index.manifests.map((target) => ({ target, names: namesOf(target) }));
}

/**
 * containerd's annotation holds the full name. The standard one is meant for the tag alone, but most writers put a whole
 * reference there; a bare word could be either, and is not taken for a name.
 */
function namesOf({ annotations = {} }: Descriptor): string[] {
  const full = annotations[NAME_ANNOTATION];
  if (full !== undefined) return [fullName(full)];
  const ref = annotations[REF_ANNOTATION] ?? '';
  return /[:/]/.test(ref) ? [fullName(ref)] : [];
}

interface DockerEntry {
  readonly config: string;
  readonly names: readonly string[];
  readonly layers: readonly string[];
}

function readDockerManifests(bytes: Uint8Array): DockerEntry[] {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidArchive('its manifest.json is not JSON', cause);
  }
  if (!Array.isArray(document) || document.length > MAX_IMAGES) throw invalidArchive('its manifest.json is not a list of images');
  return document.map(readDockerEntry);
}

function readDockerEntry(entry: unknown): DockerEntry {
  const { Config: config, RepoTags: tags, Layers: layers } = isObject(entry) ? entry : {};
  if (typeof config !== 'string') throw invalidArchive('an image in its manifest.json has no Config');
  return { config, names: texts(tags, 'RepoTags').map(fullName), layers: texts(layers, 'Layers') };
}

function texts(value: unknown, what: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > 256 || !value.every((item) => typeof item === 'string')) {
    throw invalidArchive(`${what} in its manifest.json is not a list of strings`);
  }
  return value;
}

function fullName(text: string): string {
  const { digest: _digest, ...reference } = parseReference(text);
  return formatReference(reference.tag === undefined ? { ...reference, tag: 'latest' } : reference);
}

/** docker-archive has no manifest of its own, so one is written: the same archive always gets the same. */
async function buildManifest({ config, layers }: DockerEntry, files: ArchiveFiles, content: ContentStore): Promise<Descriptor> {
  const require = (path: string) => files.find(path) ?? missing(path);
  const configFile = require(config);
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: { mediaType: MediaTypes.ociConfig, digest: configFile.digest, size: configFile.sizeBytes },
    layers: await Promise.all(
      layers.map(async (path) => {
        const { digest, sizeBytes } = require(path);
        return { mediaType: await layerType(digest, content), digest, size: sizeBytes };
      }),
    ),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { mediaType: MediaTypes.ociManifest, digest: await content.put(bytes), size: bytes.byteLength };
}

function missing(path: string): never {
  throw invalidArchive(`its manifest.json names ${JSON.stringify(path.slice(0, 200))}, which is not in it as a regular file`);
}

/** docker-archive does not say how a layer is packed; its first bytes do. */
async function layerType(digest: Digest, content: ContentStore): Promise<string> {
  const blob = await content.open(digest);
  try {
    for await (const chunk of blob.stream()) {
      const magic = Buffer.from(chunk.subarray(0, 4)).toString('hex');
      if (magic.startsWith('1f8b')) return MediaTypes.ociLayerGzip;
      return magic === '28b52ffd' ? MediaTypes.ociLayerZstd : MediaTypes.ociLayer;
    }
    return MediaTypes.ociLayer;
  } finally {
    await blob.close();
  }
}
