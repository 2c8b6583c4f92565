/**
 * From a descriptor to the one manifest that this machine can run, with its config.
 *
 * Knows: platforms, nesting, and what manifest and config must agree on.
 * Does not know: where the blobs came from.
 */
import type { ContentStore } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import {
  type Descriptor,
  formatPlatform,
  type ImageConfig,
  isIndexType,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  type Manifest,
  type Platform,
  parseImageConfig,
  parseManifestOrIndex,
  platformMatches,
} from '@slipway/oci';

/** An image whose documents have been read and agree. */
export interface SelectedImage {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** An index may hold indexes, but nobody needs more than this. */
const MAX_DEPTH = 3;

/** undefined when nothing below `target` is for `platform`. @throws `invalid-argument` / `E_DOCUMENT_INVALID`, `E_IMAGE_INCOMPLETE` */
export async function selectManifest(
  target: Descriptor,
  platform: Platform,
  content: ContentStore,
  depth = 0,
): Promise<SelectedImage | undefined> {
  if (target.platform !== undefined && !platformMatches(platform, target.platform)) return undefined;
  if (depth >= MAX_DEPTH) throw incomplete(target, 'its indexes are nested too deeply');
  const document = parseManifestOrIndex(
    await readBlob(target, content, MAX_MANIFEST_BYTES),
    isIndexType(target.mediaType) ? target.mediaType : undefined,
  );
  if (document.kind === 'manifest') {
    const descriptor = { mediaType: document.mediaType, digest: target.digest, size: target.size };
    return { descriptor, manifest: document, config: await readConfig(document, content) };
  }
  for (const entry of document.manifests) {
    const found = await selectManifest(entry, platform, content, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function wrongPlatform(platform: Platform): EngineError {
  return new EngineError('invalid-argument', `the archive has no image for ${formatPlatform(platform)}`, {
    code: 'E_IMAGE_PLATFORM',
    op: 'image.load',
  });
}

async function readConfig(manifest: Manifest, content: ContentStore): Promise<ImageConfig> {
  const config = parseImageConfig(await readBlob(manifest.config, content, MAX_CONFIG_BYTES));
  if (config.diffIds.length !== manifest.layers.length) {
    throw incomplete(manifest.config, `the config lists ${config.diffIds.length} diff ids for ${manifest.layers.length} layers`);
  }
  for (const layer of manifest.layers) await requireBlob(layer, content);
  return config;
}

async function readBlob(descriptor: Descriptor, content: ContentStore, maxBytes: number): Promise<Uint8Array> {
  await requireBlob(descriptor, content);
  return content.read(descriptor.digest, maxBytes);
}

async function requireBlob(descriptor: Descriptor, content: ContentStore): Promise<void> {
  const info = await content.stat(descriptor.digest);
  if (info === undefined) throw incomplete(descriptor, 'that blob is missing');
  if (info.sizeBytes !== descriptor.size) throw incomplete(descriptor, `that blob has ${info.sizeBytes} bytes, not ${descriptor.size}`);
}

function incomplete({ digest }: Descriptor, why: string): EngineError {
  return new EngineError('invalid-argument', `image is incomplete at ${digest}: ${why}`, {
    code: 'E_IMAGE_INCOMPLETE',
    op: 'image.load',
    subject: digest,
  });
}
