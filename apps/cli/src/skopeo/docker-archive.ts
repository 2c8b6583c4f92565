/**
 * `docker-archive:FILE[:NAME:TAG]`: what `docker save` writes.
 *
 * Knows: manifest.json, and the manifest of docker's schema 2 that skopeo has always read out of it.
 * Does not know: where the file comes from or goes to; the engine's store uses it as well (daemon.ts).
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import {
  type Digest,
  formatReference,
  isObject,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  MediaTypes,
  parseImageConfig,
  parseReference,
  splitDigest,
} from '@slipway/oci';
import { UsageError } from '../flags.ts';
import { fileBytes, type KeptBlob, keep } from './blobs.ts';
import { formatDockerManifest } from './convert.ts';
import { readImageManifest } from './manifest.ts';
import { type putTogether, takeApart, textOf } from './tar-files.ts';
import type { ImageDestination, ImageSource, ManifestBytes } from './transport.ts';

interface ArchivedImage {
  readonly config: KeptBlob;
  readonly layers: readonly KeptBlob[];
  readonly names: readonly string[];
}

/** @param name the one that is meant; absent: the archive's only one */
export async function openDockerArchiveSource(path: string, name: string | undefined, work: string): Promise<ImageSource> {
  if (!existsSync(path)) throw new UsageError(`initializing source docker-archive:${path}: open ${path}: no such file or directory`);
  mkdirSync(work, { recursive: true });
  const images = await readImages(path, work);
  const [image, ...more] = name === undefined ? images : images.filter(({ names }) => names.includes(name));
  if (image === undefined) throw new UsageError(`Tag "${name ?? ''}" not found in ${path}`);
  if (more.length > 0)
    throw new UsageError(`Unexpected tar manifest.json: expected 1 item, got ${images.length}; name the one that is meant`);
  const byDigest = new Map([image.config, ...image.layers].map((file) => [file.digest, file]));
  return {
    name: '',
    // The types say gzip for layers that are not: so they have been called ever since, and every reader looks at the bytes.
    manifest: async () =>
      formatDockerManifest(
        describe(image.config, MediaTypes.dockerConfig),
        image.layers.map((layer) => describe(layer, MediaTypes.dockerLayerGzip)),
      ),
    blob: async ({ digest }) => {
      const file = byDigest.get(digest);
      if (file === undefined) throw new UsageError(`no blob ${digest} in ${path}`);
      return fileBytes(file.path);
    },
    tags: async () => undefined,
    close: async () => rmSync(work, { recursive: true, force: true }),
  };
}

/** Every name in the archive. */
export async function listDockerArchive(path: string, work: string): Promise<readonly string[]> {
  mkdirSync(work, { recursive: true });
  const images = await readImages(path, work);
  rmSync(work, { recursive: true, force: true });
  return images.flatMap(({ names }) => names);
}

async function readImages(path: string, work: string): Promise<ArchivedImage[]> {
  const files = await takeApart(path, work);
  const manifest = files.get('manifest.json');
  if (manifest === undefined) throw new UsageError(`${path} is no archive of docker: it has no manifest.json`);
  const list: unknown = JSON.parse(textOf(manifest, MAX_MANIFEST_BYTES));
  if (!Array.isArray(list)) throw new UsageError(`manifest.json of ${path} is not a list`);
  const file = (name: unknown): KeptBlob => {
    const found = files.get(String(name));
    if (found === undefined) throw new UsageError(`${path} lacks ${JSON.stringify(name)}`);
    return found;
  };
  return list.filter(isObject).map(({ Config, Layers, RepoTags }) => ({
    config: file(Config),
    layers: (Array.isArray(Layers) ? Layers : []).map(file),
    names: (Array.isArray(RepoTags) ? RepoTags : []).map((tag) => formatReference(parseReference(String(tag)))),
  }));
}

const describe = ({ digest, size }: KeptBlob, mediaType: string) => ({ mediaType, digest, size });

/** @param write takes the finished archive */
export function openDockerArchiveDestination(
  names: readonly string[],
  work: string,
  write: (files: Parameters<typeof putTogether>[1]) => Promise<void>,
): ImageDestination {
  mkdirSync(work, { recursive: true });
  const kept = new Map<Digest, KeptBlob>();
  let image: ManifestBytes | undefined;
  return {
    accepts: ['docker'],
    layers: 'plain',
    hasBlob: async ({ digest }) => kept.has(digest),
    putBlob: async ({ digest }, bytes) => void kept.set(digest, await keep(bytes, `${work}/${kept.size}`)),
    putManifest: async (manifest, child) => {
      if (child !== undefined) throw new UsageError('docker-archive: holds one image, not an index');
      image = manifest;
    },
    commit: async () => {
      if (image !== undefined) await write(archiveFiles(image, names, kept));
    },
    close: async () => rmSync(work, { recursive: true, force: true }),
  };
}

function archiveFiles(image: ManifestBytes, names: readonly string[], kept: ReadonlyMap<Digest, KeptBlob>) {
  const manifest = readImageManifest(image);
  const path = (digest: Digest) => kept.get(digest)?.path ?? '';
  const config = manifest.config.digest;
  parseImageConfig(Buffer.from(textOf(kept.get(config) as KeptBlob, MAX_CONFIG_BYTES)));
  const layers = [...new Set(manifest.layers.map(({ digest }) => digest))];
  const fileName = (digest: Digest, ending: string) => `${splitDigest(digest).hex}.${ending}`;
  const list = [
    { Config: fileName(config, 'json'), RepoTags: names, Layers: manifest.layers.map(({ digest }) => fileName(digest, 'tar')) },
  ];
  return [
    ...layers.map((digest) => ({ name: fileName(digest, 'tar'), path: path(digest) })),
    { name: fileName(config, 'json'), path: path(config) },
    { name: 'manifest.json', bytes: Buffer.from(JSON.stringify(list)) },
  ];
}
