/**
 * Loading: from an archive to unpacked snapshots and records.
 *
 * Knows: the order; the record comes last, all images of an archive in one, so that a failure or a crash leaves none of them.
 * Does not know: archives' layouts (archive-images.ts), or who collects what a failed load has read.
 */
import type { ContentStore } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import { failPoint, isDiskFull } from '@slipway/kernel';
import { type Digest, formatReference, type Platform, parseReference } from '@slipway/oci';
import { ArchiveFiles } from './archive-files.ts';
import { type ArchiveImage, readArchiveImages } from './archive-images.ts';
import { diskFull } from './disk-full.ts';
import type { LoadOptions, LoadReport } from './image-store.ts';
import type { ImageTable } from './image-table.ts';
import { type SelectedImage, selectManifest, wrongPlatform } from './select-manifest.ts';
import { requireBlob, storedDocuments } from './stored-documents.ts';
import type { LayerUnpacker } from './unpack-image.ts';

export interface LoadParts {
  readonly content: ContentStore;
  readonly table: ImageTable;
  readonly unpacker: LayerUnpacker;
  readonly platform: Platform;
}

interface NamedImage extends SelectedImage {
  /** Full names. */
  readonly names: readonly string[];
}

/** Inside a hold of the store. @throws as ImageStore.loadArchive */
export async function loadArchive(parts: LoadParts, archive: AsyncIterable<Uint8Array>, options: LoadOptions): Promise<LoadReport> {
  try {
    const onProgress = options.onProgress ?? (() => undefined);
    const files = await ArchiveFiles.read(archive, parts.content, (path, { sizeBytes }) => onProgress({ phase: 'read', path, sizeBytes }));
    const images = await selectImages(parts, files, options);
    requireFree(movedNames(images, parts.table), options);
    const warnings: string[] = [];
    for (const image of images) warnings.push(...(await parts.unpacker.ensure(image, { onProgress })));
    return { ...record(images, parts.table, options), warnings };
  } catch (error) {
    throw isDiskFull(error) ? diskFull('image.load', error) : error;
  }
}

/** In one go: names that were free a moment ago are looked at once more. */
function record(images: readonly NamedImage[], table: ImageTable, options: LoadOptions): Pick<LoadReport, 'images' | 'moved'> {
  const moved = movedNames(images, table);
  requireFree(moved, options);
  const report = images.map(({ manifest: { config }, names }) => ({
    id: config.digest,
    names,
    isNew: table.find(config.digest) === undefined,
  }));
  failPoint('image.record');
  const entries = images.map(({ manifest, descriptor, names }) => ({ id: manifest.config.digest, manifest: descriptor, names }));
  table.record(entries, Date.now());
  failPoint('image.recorded');
  return { images: report, moved };
}

/** The images of this platform, each once with all its names. @throws `E_IMAGE_PLATFORM` when there are none */
async function selectImages({ content, platform }: LoadParts, files: ArchiveFiles, { name }: LoadOptions): Promise<readonly NamedImage[]> {
  const { images, namesByConfig } = await readArchiveImages(files, content);
  const fallback = name === undefined ? [] : [formatReference(parseReference(name))];
  const byId = new Map<Digest, NamedImage>();
  for (const { target, names } of images) {
    const image = await selectWhole(target, platform, content);
    if (image === undefined) continue;
    const id = image.manifest.config.digest;
    const all = new Set([...(byId.get(id)?.names ?? []), ...names, ...(namesByConfig.get(id) ?? [])]);
    byId.set(id, { ...image, names: [...all] });
  }
  if (byId.size === 0) throw wrongPlatform(platform, 'the archive', 'image.load');
  return [...byId.values()].map((image) => (image.names.length > 0 ? image : { ...image, names: fallback }));
}

async function selectWhole(target: ArchiveImage['target'], platform: Platform, content: ContentStore): Promise<SelectedImage | undefined> {
  const image = await selectManifest(target, platform, storedDocuments(content));
  for (const layer of image?.manifest.layers ?? []) await requireBlob(layer, content);
  return image;
}

function movedNames(images: readonly NamedImage[], table: ImageTable): LoadReport['moved'] {
  return images.flatMap(({ manifest, names }) =>
    names.flatMap((name) => {
      const from = table.resolveName(name);
      const to = manifest.config.digest;
      return from === undefined || from === to ? [] : [{ name, from, to }];
    }),
  );
}

/** @throws `already-exists` / `E_NAME_TAKEN` where names may not move */
function requireFree([first]: LoadReport['moved'], { onNameTaken }: LoadOptions): void {
  if (onNameTaken !== 'refuse' || first === undefined) return;
  throw new EngineError('already-exists', `${first.name} is the name of another image`, {
    code: 'E_NAME_TAKEN',
    op: 'image.load',
    subject: first.name,
    hint: 'Remove that name first, or allow names to move.',
  });
}
