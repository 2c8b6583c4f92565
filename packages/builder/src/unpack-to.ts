/**
 * Files of a tar in a directory of ours, unpacked as layers are: by a worker that holds descriptors and cannot leave it.
 *
 * Knows: that worker.
 * Does not know: what the files are for.
 */
import { openSpoolFile } from '@slipway/kernel/trees';
import { unpackLayer } from '@slipway/layers';

export async function unpackTo(directory: string, tar: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
  const spool = await openSpoolFile(directory);
  try {
    for await (const bytes of tar) await spool.append(bytes);
    const options = { compression: 'none', expected: {}, target: directory, lowers: [], whiteouts: 'literal' } as const;
    await unpackLayer({ blob: spool, ...options });
  } finally {
    await spool.close();
  }
}
