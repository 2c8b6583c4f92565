/**
 * From a descriptor to the one manifest that this machine can run, with its config.
 *
 * Knows: platforms, nesting, and what manifest and config must agree on.
 * Does not know: where the blobs came from.
 */
import { EngineError } from '@slipway/errors';
import {
  type Descriptor,
  formatPlatform,
  type ImageConfig,
  isIndexType,
  isManifestType,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseManifestOrIndex,
  platformRank,
} from '@slipway/oci';

/** An image whose documents have been read and agree. */
export interface SelectedImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** An index may hold indexes, but nobody needs more than this. */
const MAX_DEPTH = 3;

/** Where an image's documents come from: what is here already, or a registry. */
export interface DocumentSource {
  /** The whole document, checked against its descriptor. */
  read(descriptor: Descriptor, maxBytes: number): Promise<Uint8Array>;
}

/** undefined when nothing below `target` is for `platform`. @throws `invalid-argument` / `E_DOCUMENT_INVALID`, `E_IMAGE_INCOMPLETE` */
export async function selectManifest(
  target: Descriptor,
  platform: Platform,
  source: DocumentSource,
  depth = 0,
): Promise<SelectedImage | undefined> {
  if (target.platform !== undefined && platformRank(platform, target.platform) === undefined) return undefined;
  if (depth >= MAX_DEPTH) throw incomplete(target, 'its indexes are nested too deeply');
  const document = parseManifestOrIndex(
    await source.read(target, MAX_MANIFEST_BYTES),
    isIndexType(target.mediaType) ? target.mediaType : undefined,
  );
  if (document.kind === 'manifest') {
    const descriptor = { mediaType: document.mediaType, digest: target.digest, size: target.size };
    return { descriptor, manifest: document, config: await readConfig(document, source) };
  }
  for (const entry of bestFirst(document.manifests, platform)) {
    const found = await selectManifest(entry, platform, source, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param where in which none was found: `the archive`, or a reference */
export function wrongPlatform(platform: Platform, where: string, op: 'image.load' | 'image.pull'): EngineError {
  return new EngineError('invalid-argument', `${where} has no image for ${formatPlatform(platform)}`, {
    code: 'E_IMAGE_PLATFORM',
    op,
    subject: where,
    hint: 'Ask for a platform that it has.',
  });
}

async function readConfig(manifest: Manifest, source: DocumentSource): Promise<ImageConfig> {
  const config = parseImageConfig(await source.read(manifest.config, MAX_CONFIG_BYTES));
  if (config.diffIds.length !== manifest.layers.length) {
    throw incomplete(manifest.config, `the config lists ${config.diffIds.length} diff ids for ${manifest.layers.length} layers`);
  }
  return config;
}

/** Those made for this very variant before those that merely run; entries that name no platform last. Artifacts that hang on an index are none of it. */
function bestFirst(entries: readonly Descriptor[], platform: Platform): readonly Descriptor[] {
  const rank = (entry: Descriptor) => (entry.platform === undefined ? 100 : (platformRank(platform, entry.platform) ?? 99));
  return entries.filter(({ mediaType }) => isIndexType(mediaType) || isManifestType(mediaType)).toSorted((a, b) => rank(a) - rank(b));
}

export function incomplete({ digest }: Descriptor, why: string): EngineError {
  return new EngineError('invalid-argument', `image is incomplete at ${digest}: ${why}`, {
    code: 'E_IMAGE_INCOMPLETE',
    op: 'image.load',
    subject: digest,
  });
}
