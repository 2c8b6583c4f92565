/**
 * Archives made in memory, so that a test says what is in its image, or wrong with it.
 *
 * Knows: both layouts.
 * Does not know: the store.
 */
import { type EntryInit, tarEnd, tarMember } from '@slipway/layers';
import { digestOf, MediaTypes, splitDigest } from '@slipway/oci';

export type ArchiveMember = readonly [entry: EntryInit, content?: Uint8Array | string];

export function tarOf(members: readonly ArchiveMember[]): Buffer {
  return Buffer.concat([...members.map(([entry, content]) => tarMember(entry, content)), tarEnd()]);
}

/** A layer tar with one file for each key. */
export function layerOf(files: Readonly<Record<string, string>>): Buffer {
  return tarOf(Object.entries(files).map(([name, text]) => [{ name, type: 'file' }, text]));
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function configOf(layers: readonly Uint8Array[], more: Readonly<Record<string, unknown>> = {}): Buffer {
  return json({
    os: 'linux',
    architecture: 'amd64',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) },
    history: layers.map((_layer, i) => ({ created_by: `step ${i + 1}` })),
    ...more,
  });
}

export function blobPath(bytes: Uint8Array): string {
  return `blobs/sha256/${splitDigest(digestOf(bytes)).hex}`;
}

export function descriptorOf(mediaType: string, bytes: Uint8Array) {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

/** An OCI layout with one image. `names` go into containerd's annotation. */
export function ociArchive(layers: readonly Uint8Array[], name?: string, config = configOf(layers)): Buffer {
  const manifest = json({
    schemaVersion: 2,
    mediaType: MediaTypes.ociManifest,
    config: descriptorOf(MediaTypes.ociConfig, config),
    layers: layers.map((bytes) => descriptorOf(MediaTypes.ociLayer, bytes)),
  });
  const annotations = name === undefined ? {} : { 'io.containerd.image.name': name };
  const index = json({ schemaVersion: 2, manifests: [{ ...descriptorOf(MediaTypes.ociManifest, manifest), annotations }] });
  return ociLayout(index, [config, manifest, ...layers]);
}

export function ociLayout(index: Uint8Array, blobs: readonly Uint8Array[], more: readonly ArchiveMember[] = []): Buffer {
  return tarOf([
    [{ name: 'oci-layout', type: 'file' }, '{"imageLayoutVersion":"1.0.0"}'],
    [{ name: 'index.json', type: 'file' }, index],
    ...blobs.map((bytes): ArchiveMember => [{ name: blobPath(bytes), type: 'file' }, bytes]),
    ...more,
  ]);
}

/** What `docker save` wrote before it wrote OCI layouts. */
export function dockerArchive(layers: readonly Uint8Array[], tags: readonly string[], more: readonly ArchiveMember[] = []): Buffer {
  const config = configOf(layers);
  return tarOf([
    ...layers.map((bytes, i): ArchiveMember => [{ name: `layer${i}/layer.tar`, type: 'file' }, bytes]),
    [{ name: 'config.json', type: 'file' }, config],
    ...more,
    [
      { name: 'manifest.json', type: 'file' },
      json([{ Config: 'config.json', RepoTags: tags, Layers: layers.map((_bytes, i) => `layer${i}/layer.tar`) }]),
    ],
  ]);
}

export async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
}
