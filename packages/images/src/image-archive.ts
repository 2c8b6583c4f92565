/**
 * An image that goes from layers into an archive, without a store: nothing is recorded, nothing unpacked.
 *
 * Knows: the documents and the archive's form.
 * Does not know: where layers come from.
 */
import { openContentStore } from '@slipway/content';
import { type Digest, formatReference, parseReference } from '@slipway/oci';
import type { NewImage, NewLayer } from './image-store.ts';
import { describeNew, ingestLayer, writeDocuments } from './make-image.ts';
import { saveArchive } from './save-archive.ts';

export interface ArchiveMaker {
  /** Takes an uncompressed tar as a layer; several at once work side by side. */
  addLayer(tar: AsyncIterable<Uint8Array>): Promise<NewLayer>;
  /** The archive of an image of those layers, as `docker save` writes it. */
  finish(image: NewImage): Promise<{ readonly id: Digest; readonly archive: AsyncIterable<Uint8Array> }>;
}

/** `directory`: an existing one of the caller's, for blobs; to be removed by the caller. */
export async function openArchiveMaker(directory: string): Promise<ArchiveMaker> {
  const content = await openContentStore(directory);
  return {
    addLayer: (tar) => ingestLayer(tar, content),
    finish: async (image) => {
      const names = image.names.map((name) => formatReference(parseReference(name)));
      await writeDocuments(image, content);
      const described = { ...describeNew(image, () => 0), names };
      return { id: described.id, archive: saveArchive([{ image: described, names }], content) };
    },
  };
}
