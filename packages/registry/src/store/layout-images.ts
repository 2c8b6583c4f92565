/**
 * The images of an OCI layout on the disk, as a registry shows them.
 *
 *     docker.io/library/busybox:latest   in the index's annotations  →  repository library/busybox, tag latest
 *
 * Knows: layouts, and which blobs an image reaches.
 * Does not know: who made the layout. It is read once, when it is opened, and must stay as it is.
 *
 * @spec image-spec/image-layout.md
 */
import { EngineError } from '@slipway/errors';
import { openForRead, readText } from '@slipway/kernel';
import {
  type Descriptor,
  type Digest,
  FieldReader,
  MAX_MANIFEST_BYTES,
  parseJsonObject,
  parseReference,
  readDescriptor,
  splitDigest,
} from '@slipway/oci';
import type { BlobReader, StoredManifest } from '../backend.ts';
import { readManifestFacts } from './manifest-facts.ts';

/** One repository of the layout. */
export interface FixedRepository {
  readonly tags: ReadonlyMap<string, Digest>;
  readonly manifests: ReadonlyMap<Digest, StoredManifest>;
  readonly blobs: ReadonlySet<Digest>;
}

export interface LayoutImages {
  readonly repositories: ReadonlyMap<string, FixedRepository>;
  /** A blob or manifest; undefined when the layout lacks it. */
  open(digest: Digest): Promise<BlobReader | undefined>;
}

/** Where tools write an image's full name; the first is containerd's, the second OCI's. */
const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/** @throws EngineError `invalid-argument` / `E_LAYOUT_INVALID`, or `E_DOCUMENT_INVALID` */
export async function openLayoutImages(root: string): Promise<LayoutImages> {
  const open = async (digest: Digest) => {
    const { algorithm, hex } = splitDigest(digest);
    return await openForRead(`${root}/blobs/${algorithm}/${hex}`);
  };
  const repositories = new Map<string, Building>();
  for (const { descriptor, name } of readIndex(await readText(`${root}/index.json`, { maxBytes: MAX_MANIFEST_BYTES }))) {
    const { path, tag } = parseReference(name);
    const repository = repositories.get(path) ?? { tags: new Map(), manifests: new Map(), blobs: new Set() };
    repositories.set(path, repository);
    await addManifest(repository, descriptor, open);
    if (tag !== undefined) repository.tags.set(tag, descriptor.digest);
  }
  return { repositories, open };
}

interface Building extends FixedRepository {
  readonly tags: Map<string, Digest>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly blobs: Set<Digest>;
}

function readIndex(text: string): { readonly descriptor: Descriptor; readonly name: string }[] {
  const document = parseJsonObject('index.json', Buffer.from(text), MAX_MANIFEST_BYTES);
  const read = new FieldReader('index.json');
  const list = read.list(document['manifests'], '/manifests', 1024) ?? [];
  const found = list.flatMap((entry, at) => {
    const descriptor = readDescriptor(read, entry, `/manifests/${at}`);
    const name = NAME_ANNOTATIONS.map((key) => descriptor?.annotations?.[key]).find((value) => value !== undefined);
    return descriptor === undefined || name === undefined ? [] : [{ descriptor, name }];
  });
  read.finish();
  return found;
}

/** The manifest, and what it names, as far down as it goes. */
async function addManifest(repository: Building, { digest, mediaType }: Descriptor, open: LayoutImages['open']): Promise<void> {
  if (repository.manifests.has(digest)) return;
  const bytes = await readWhole(digest, open);
  const facts = readManifestFacts(bytes, mediaType);
  repository.manifests.set(digest, { digest, mediaType: facts.mediaType, sizeBytes: bytes.byteLength });
  for (const blob of facts.blobs) repository.blobs.add(blob);
  for (const child of facts.manifests)
    await addManifest(repository, { digest: child, mediaType: await typeOf(child, open), size: 0 }, open);
}

/** An index of the layout says what its manifests are; so do they. */
async function typeOf(digest: Digest, open: LayoutImages['open']): Promise<string> {
  return readManifestFacts(await readWhole(digest, open)).mediaType;
}

/** For documents, which are small. */
export async function readAll(blob: BlobReader): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.stream()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readWhole(digest: Digest, open: LayoutImages['open']): Promise<Uint8Array> {
  const blob = await open(digest);
  if (blob === undefined || blob.sizeBytes > MAX_MANIFEST_BYTES) {
    await blob?.close();
    throw new EngineError('invalid-argument', `the layout has no manifest ${digest}`, {
      code: 'E_LAYOUT_INVALID',
      op: 'layout.open',
      subject: digest,
    });
  }
  try {
    return await readAll(blob);
  } finally {
    await blob.close();
  }
}
