/**
 * `slipway store check`: a store held against what has to be true of it, without changing a byte.
 *
 * A running engine goes on changing its store while it is read, so what looks wrong is looked at again. Leases (ImageStore.holding) are the engine's own memory and end with it; what they protect is found as left over.
 *
 * Knows: the order of looking.
 * Does not know: what is right (judge-store.ts).
 */
import { BlobReading, lookTwice } from '@slipway/content';
import type { Digest } from '@slipway/oci';
import { type Judgement, judgeStore } from './judge-store.ts';
import type { StoreReport } from './store-report.ts';
import { type StoreView, viewStore } from './store-view.ts';

export interface CheckOptions {
  /** Believe the bytes of blobs instead of reading them. Default: read them. */
  readonly skipContents?: boolean;
}

/**
 * Checks the store below `root`. Works beside the engine that uses it, and without one.
 * @throws EngineError `not-found` / `E_STORE_UNKNOWN`; SQLite's own errors for a record that cannot be opened
 */
export async function checkStore(root: string, { skipContents = false }: CheckOptions = {}): Promise<StoreReport> {
  const reading = new BlobReading(`${root}/content`);
  return lookTwice(async () => {
    const view = await viewStore(root);
    const corrupt = skipContents ? new Set<Digest>() : await reading.corruptOf(view.content.blobs.keys());
    return toReport(view, judgeStore(view, corrupt));
  });
}

function toReport({ content, snapshots, records, steps }: StoreView, { faults, leftovers }: Judgement): StoreReport {
  const kinds = [...snapshots.snapshots.values()].map(({ kind }) => kind);
  const count = (kind: string) => kinds.filter((each) => each === kind).length;
  return {
    counted: {
      images: records.images.length,
      names: records.names.length,
      blobs: content.blobs.size,
      blobBytes: [...content.blobs.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      snapshots: { committed: count('committed'), active: count('active'), view: count('view') },
      ingests: content.ingests.length,
      buildSteps: steps.length,
    },
    faults,
    leftovers,
  };
}
