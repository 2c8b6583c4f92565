/**
 * Makes a directory of shared images out of an OCI layout.
 *
 * Knows: unpacking stack by stack, a layer that stacks have in common once.
 * Does not know: which images are worth it, or who will use them.
 */
import { dirname } from 'node:path';
import { BlobDirectory, blobPath } from '@slipway/content';
import {
  copyDirectoryMetadata,
  ensureDirectory,
  linkStored,
  makeDirectory,
  readText,
  syncFileSystem,
  writeFileAtomic,
} from '@slipway/kernel';
import { unpackLayer } from '@slipway/layers';
import { type ChainId, chainIds, type Descriptor, type DiffId, layerCompression, type Platform, parseManifestOrIndex } from '@slipway/oci';
import { selectManifest } from '../select-manifest.ts';
import { storedDocuments } from '../stored-documents.ts';
import { formatList, type SharedLayer, sharedFiles } from './shared-images.ts';

export interface SharedImagesSource {
  /** An OCI layout; its blobs are linked, not copied, where the file system allows. */
  readonly layout: string;
  /** `org.opencontainers.image.ref.name` of the images that are wanted. */
  readonly names: readonly string[];
  readonly platform: Platform;
  /** See WorkerRequest. */
  readonly compileCacheDir?: string;
}

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
  readonly chainId: ChainId;
}

const REF_NAME = 'org.opencontainers.image.ref.name';

/** Fills `directory`, which is made and must be nobody's yet. @throws as unpackLayer and selectManifest; the directory is of no use then */
export async function writeSharedImages(directory: string, source: SharedImagesSource): Promise<void> {
  const files = sharedFiles(directory);
  const content = new BlobDirectory(source.layout);
  for (const path of [directory, files.layers, `${directory}/blobs`, `${directory}/blobs/sha256`]) await ensureDirectory(path, 0o755);
  const index = parseManifestOrIndex(Buffer.from(await readText(`${source.layout}/index.json`)));
  const targets = index.kind === 'index' ? index.manifests : [];
  const shared = new Map<ChainId, SharedLayer>();
  for (const target of targets.filter(({ annotations }) => source.names.includes(annotations?.[REF_NAME] ?? ''))) {
    const image = await selectManifest(target, source.platform, storedDocuments(content));
    if (image === undefined) continue;
    const { manifest, config } = image;
    const blobs = [target, image.descriptor, manifest.config, ...manifest.layers];
    for (const { digest } of blobs) await linkStored(blobPath(source.layout, digest), blobPath(directory, digest));
    await unpackStack(stackOf(manifest.layers, config.diffIds), { shared, content, layerOf: files.layer, source });
  }
  await syncFileSystem(directory);
  await writeFileAtomic(files.list, formatList([...shared.values()]), { mode: 0o644 });
}

function stackOf(descriptors: readonly Descriptor[], diffIds: readonly DiffId[]): readonly Layer[] {
  const chains = chainIds(diffIds);
  return descriptors.flatMap((descriptor, at): Layer[] => {
    const [diffId, chainId] = [diffIds[at], chains[at]];
    return diffId === undefined || chainId === undefined ? [] : [{ descriptor, diffId, chainId }];
  });
}

interface Unpacking {
  /** What is there; grows. */
  readonly shared: Map<ChainId, SharedLayer>;
  readonly content: BlobDirectory;
  readonly layerOf: (chainId: ChainId) => string;
  readonly source: SharedImagesSource;
}

/** Bottom layer first. */
async function unpackStack(layers: readonly Layer[], unpacking: Unpacking): Promise<void> {
  const below: string[] = [];
  for (const layer of layers) {
    const own = `${unpacking.layerOf(layer.chainId)}/fs`;
    if (!unpacking.shared.has(layer.chainId)) {
      const fileBytes = await unpackOn(below, own, layer, unpacking);
      unpacking.shared.set(layer.chainId, { chainId: layer.chainId, fileBytes });
    }
    below.unshift(own);
  }
}

/** @param below topmost first @returns bytes of the layer's files */
async function unpackOn(below: readonly string[], own: string, layer: Layer, { content, source }: Unpacking): Promise<number> {
  const { descriptor, diffId } = layer;
  // Refused where the id of another layer begins alike.
  await makeDirectory(dirname(own), 0o755);
  await makeDirectory(own, 0o755);
  // As every snapshot: overlay shows the topmost directory's own mode and owner as those of "/".
  const [parent] = below;
  if (parent !== undefined) await copyDirectoryMetadata(parent, own);
  const blob = await content.open(descriptor.digest);
  try {
    const { fileBytes } = await unpackLayer({
      blob,
      compression: layerCompression(descriptor.mediaType) ?? 'none',
      expected: { blobDigest: descriptor.digest, diffId },
      target: own,
      lowers: below,
      whiteouts: 'overlay',
      ...(source.compileCacheDir === undefined ? {} : { compileCacheDir: source.compileCacheDir }),
    });
    return fileBytes;
  } finally {
    await blob.close();
  }
}
