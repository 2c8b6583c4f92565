/**
 * `slipway image convert --lazy SOURCE DESTINATION`: the same image with layers that can be read before they have come.
 *
 * Knows: that layers get other bytes, and so config and manifest other digests; files stay what they are.
 * Does not know: the form of such a layer (packages/lazy), or places (skopeo's names for them).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EstargzWriter, TAR_SIZE_ANNOTATION, TOC_DIGEST_ANNOTATION, type WrittenLayer } from '@slipway/lazy';
import {
  type Descriptor,
  type Digest,
  digestOf,
  hostPlatform,
  isIndexType,
  isObject,
  layerCompression,
  MAX_CONFIG_BYTES,
  MediaTypes,
  parseJsonObject,
} from '@slipway/oci';
import { parseFlags, UsageError } from '../flags.ts';
import { checked, fileBytes, keep, readBlob, unpacked } from '../skopeo/blobs.ts';
import { formatManifest } from '../skopeo/convert.ts';
import { parseImageName } from '../skopeo/image-name.ts';
import { chooseManifest, readImageManifest } from '../skopeo/manifest.ts';
import { openDestination, openSource } from '../skopeo/places.ts';
import type { ImageDestination, ImageSource, Surroundings } from '../skopeo/transport.ts';

const USAGE = 'write: slipway image convert --lazy SOURCE DESTINATION, both as skopeo names images, e.g. docker://localhost:5000/a oci:DIR';

/** Prints the new manifest's digest. */
export async function convertLazily(args: readonly string[], out: (text: string) => void): Promise<number> {
  const flags = parseFlags([...args], { lazy: { kind: 'switch' } });
  const [from, to, more] = flags.words;
  if (!flags.has('lazy') || from === undefined || to === undefined || more !== undefined) throw new UsageError(USAGE);
  const work = mkdtempSync(join(tmpdir(), 'slipway-convert-'));
  let count = 0;
  const temporary = () => join(work, String(count++));
  const platform = hostPlatform(process.arch);
  const surroundings: Surroundings = { environment: process.env, platform, temporary, userAgent: 'slipway-image/0.1 (linux)' };
  const side = { tlsVerify: true, anonymous: false };
  const kept = { ...side, directoryLayers: 'as-they-are', packing: 'gzip', acceptPlain: false, moreNames: [] } as const;
  try {
    const source = await openSource(parseImageName(from), side, surroundings);
    const destination = await openDestination(parseImageName(to), kept, surroundings);
    out(`${await convert(source, destination, surroundings).finally(() => Promise.all([source.close(), destination.close()]))}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return 0;
}

async function convert(source: ImageSource, destination: ImageDestination, surroundings: Surroundings): Promise<Digest> {
  if (!destination.accepts.includes('oci') || destination.layers === 'plain' || destination.layers === 'zstd')
    throw new UsageError('the destination does not keep layers as they are written: use docker://, oci: or oci-archive:');
  const top = await source.manifest();
  const one = isIndexType(top.mediaType) ? await source.manifest(chooseManifest(top, surroundings.platform).digest) : top;
  const manifest = readImageManifest(one);
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const layer of manifest.layers) {
    if (layerCompression(layer.mediaType) === undefined) throw new UsageError(`${layer.mediaType} is no layer of files`);
    const { path, written } = await writeLayer(source, layer, surroundings.temporary());
    const descriptor = describe(written);
    await destination.putBlob(descriptor, checked(fileBytes(path), descriptor));
    rmSync(path);
    layers.push(descriptor);
    diffIds.push(written.diffId);
  }
  const config = await convertConfig(source, manifest.config, diffIds);
  const configDescriptor = { mediaType: MediaTypes.ociConfig, digest: digestOf(config), size: config.byteLength };
  await destination.putBlob(configDescriptor, single(config));
  const put = formatManifest('oci', { ...manifest, config: configDescriptor }, layers);
  await destination.putManifest(put);
  await destination.commit();
  return digestOf(put.bytes);
}

async function writeLayer(
  source: ImageSource,
  layer: Descriptor,
  path: string,
): Promise<{ readonly path: string; readonly written: WrittenLayer }> {
  const writer = new EstargzWriter();
  await keep(writer.blob(unpacked(checked(await source.blob(layer), layer))), path);
  return { path, written: writer.result };
}

function describe({ blobDigest, blobBytes, tocDigest, tarBytes }: WrittenLayer): Descriptor {
  const annotations = { [TOC_DIGEST_ANNOTATION]: tocDigest, [TAR_SIZE_ANNOTATION]: String(tarBytes) };
  return { mediaType: MediaTypes.ociLayerGzip, digest: blobDigest as Digest, size: blobBytes, annotations };
}

/** What it says of everything but the layers stays, unknown fields too. */
async function convertConfig(source: ImageSource, descriptor: Descriptor, diffIds: readonly string[]): Promise<Buffer> {
  const bytes = await readBlob(await source.blob(descriptor), descriptor, MAX_CONFIG_BYTES);
  const config = parseJsonObject('image config', bytes, MAX_CONFIG_BYTES);
  const rootfs = isObject(config['rootfs']) ? config['rootfs'] : {};
  return Buffer.from(JSON.stringify({ ...config, rootfs: { ...rootfs, type: 'layers', diff_ids: diffIds } }));
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
