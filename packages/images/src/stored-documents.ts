/**
 * Documents and layers that are here already.
 *
 * Knows: that a blob is complete when it has the size its descriptor says.
 * Does not know: what the documents mean.
 */
import type { BlobReader } from '@slipway/content';
import type { Descriptor } from '@slipway/oci';
import { type DocumentSource, incomplete } from './select-manifest.ts';

export function storedDocuments(content: BlobReader): DocumentSource {
  return {
    read: async (descriptor, maxBytes) => {
      await requireBlob(descriptor, content);
      return content.read(descriptor.digest, maxBytes);
    },
  };
}

/** @throws EngineError `invalid-argument` / `E_IMAGE_INCOMPLETE` */
export async function requireBlob(descriptor: Descriptor, content: BlobReader): Promise<void> {
  const info = await content.stat(descriptor.digest);
  if (info === undefined) throw incomplete(descriptor, 'that blob is missing');
  if (info.sizeBytes !== descriptor.size) throw incomplete(descriptor, `that blob has ${info.sizeBytes} bytes, not ${descriptor.size}`);
}
