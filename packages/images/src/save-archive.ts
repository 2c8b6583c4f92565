/**
 * Images as one archive that is both an OCI layout and a docker-archive, as docker 25 and later write it.
 *
 *     blobs/sha256/…   manifests, configs, layers, each once
 *     index.json       OCI: the manifests, with their names
 *     manifest.json    docker: configs, names, layers
 *     oci-layout, repositories
 *
 * Knows: both layouts. The same images give the same bytes.
 * Does not know: how images are found.
 *
 * @spec image-spec/image-layout.md
 */
import type { ContentStore } from '@slipway/content';
import { tarEnd, tarHeader, tarMember, tarPadding } from '@slipway/layers';
import { type Digest, familiarReference, parseReference, splitDigest } from '@slipway/oci';
import type { Image } from './image-store.ts';

/** An image with the names it is to have in the archive. */
export interface SavedImage {
  readonly image: Image;
  /** Full names. */
  readonly names: readonly string[];
}

export async function* saveArchive(images: readonly SavedImage[], content: ContentStore): AsyncGenerator<Uint8Array> {
  yield tarHeader({ name: 'blobs/', type: 'directory' });
  yield tarHeader({ name: 'blobs/sha256/', type: 'directory' });
  const digests = images.flatMap(({ image }) => [
    ...image.layers.map(({ descriptor }) => descriptor.digest),
    image.id,
    image.manifest.digest,
  ]);
  for (const digest of [...new Set(digests)].sort()) yield* blob(digest, content);
  yield tarMember({ name: 'index.json', type: 'file' }, JSON.stringify(indexOf(images)));
  yield tarMember({ name: 'manifest.json', type: 'file' }, JSON.stringify(images.map(dockerEntry)));
  yield tarMember({ name: 'oci-layout', type: 'file' }, JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  yield tarMember({ name: 'repositories', type: 'file' }, JSON.stringify(repositoriesOf(images)));
  yield tarEnd();
}

async function* blob(digest: Digest, content: ContentStore): AsyncGenerator<Uint8Array> {
  const handle = await content.open(digest);
  try {
    yield tarHeader({ name: blobPath(digest), type: 'file', sizeBytes: handle.sizeBytes });
    yield* handle.stream();
    yield tarPadding(handle.sizeBytes);
  } finally {
    await handle.close();
  }
}

function blobPath(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

function indexOf(images: readonly SavedImage[]): object {
  const manifests = images.flatMap(({ image, names }) => {
    const { mediaType, digest, size } = image.manifest;
    const { os, architecture, variant } = image.config;
    const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
    const descriptor = { mediaType, digest, size, platform };
    if (names.length === 0) return [descriptor];
    return names.map((name) => ({
      ...descriptor,
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': parseReference(name).tag ?? 'latest' },
    }));
  });
  return { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
}

function dockerEntry({ image, names }: SavedImage): object {
  return {
    Config: blobPath(image.id),
    RepoTags: names.length === 0 ? null : names.map((name) => familiarReference(parseReference(name))),
    Layers: image.layers.map(({ descriptor }) => blobPath(descriptor.digest)),
  };
}

function repositoriesOf(images: readonly SavedImage[]): object {
  const repositories: Record<string, Record<string, string>> = {};
  for (const { image, names } of images) {
    const top = image.layers.at(-1);
    for (const name of top === undefined ? [] : names) {
      const { tag = 'latest', digest: _digest, ...rest } = parseReference(name);
      const repository = familiarReference(rest);
      repositories[repository] = { ...repositories[repository], [tag]: splitDigest(top?.descriptor.digest ?? image.id).hex };
    }
  }
  return repositories;
}
