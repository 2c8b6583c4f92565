/**
 * `slipway store check`: a store held against what has to be true of it, without changing a byte.
 *
 * A running engine goes on changing its store while it is read, so what looks wrong is looked at again: only what is found both
 * times is told. Leases (ImageStore.holding) are the engine's own memory and end with it; what they protect is found as left over.
 *
 * Knows: the order of looking.
 * Does not know: what is right (judge-store.ts).
 */
import { inspectBlob } from '@slipway/content';
import { delay } from '@slipway/kernel';
import type { Digest } from '@slipway/oci';
import { type Judgement, judgeStore } from './judge-store.ts';
import type { StoreReport } from './store-report.ts';
import { type StoreView, viewStore } from './store-view.ts';

export interface CheckOptions {
  /** Believe the bytes of blobs instead of reading them. Default: read them. */
  readonly skipContents?: boolean;
}

/** Time for an engine to finish the step that it was seen in. */
const SECOND_LOOK_MS = 200;

/**
 * Checks the store below `root`. Works beside the engine that uses it, and without one.
 * @throws EngineError `not-found` / `E_STORE_UNKNOWN`; SQLite's own errors for a record that cannot be opened
 */
export async function checkStore(root: string, { skipContents = false }: CheckOptions = {}): Promise<StoreReport> {
  const intact = new Set<Digest>();
  const look = async () => {
    const view = await viewStore(root);
    const corrupt = skipContents ? new Set<Digest>() : await findCorrupt(root, view, intact);
    return { view, judgement: judgeStore(view, corrupt) };
  };
  const first = await look();
  if (first.judgement.faults.length + first.judgement.leftovers.length === 0) return toReport(first.view, first.judgement);
  await delay(SECOND_LOOK_MS);
  const second = await look();
  return toReport(second.view, {
    faults: inBoth(first.judgement.faults, second.judgement.faults),
    leftovers: inBoth(first.judgement.leftovers, second.judgement.leftovers),
  });
}

/** Blobs found `intact` are not read again: nobody writes to a blob. */
async function findCorrupt(root: string, { content }: StoreView, intact: Set<Digest>): Promise<Set<Digest>> {
  const corrupt = new Set<Digest>();
  for (const digest of content.blobs.keys()) {
    if (intact.has(digest)) continue;
    const state = await inspectBlob(`${root}/content`, digest);
    if (state === 'corrupt') corrupt.add(digest);
    if (state === 'intact') intact.add(digest);
  }
  return corrupt;
}

function inBoth<T extends { readonly code: string; readonly subject: string }>(before: readonly T[], after: readonly T[]): readonly T[] {
  const seen = new Set(before.map(({ code, subject }) => `${code} ${subject}`));
  return after.filter(({ code, subject }) => seen.has(`${code} ${subject}`));
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
