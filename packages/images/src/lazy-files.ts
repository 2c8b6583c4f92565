/**
 * Which layers are not whole yet, as it is written down beside their snapshots.
 *
 * Knows: the file that stands there before the first of their snapshots does.
 * Does not know: who serves them (lazy-layers.ts).
 */
import { findText, listNames, writeFileAtomic } from '@slipway/kernel';
import type { ChainId, Descriptor, DiffId } from '@slipway/oci';

export interface LayerFact {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  readonly descriptor: Descriptor;
}

export async function writeLayers(directory: string, layers: readonly LayerFact[]): Promise<void> {
  await writeFileAtomic(`${directory}/layers.json`, JSON.stringify(layers));
}

/** None where it had not come so far. */
export async function readLayers(directory: string): Promise<readonly LayerFact[]> {
  return JSON.parse((await findText(`${directory}/layers.json`)) ?? '[]') as readonly LayerFact[];
}

/** Digests of all blobs that a store may lack for now. */
export async function listArriving(root: string): Promise<ReadonlySet<string>> {
  const sessions = await Promise.all((await listNames(root)).map((name) => readLayers(`${root}/${name}`)));
  return new Set(sessions.flat().map(({ descriptor }) => descriptor.digest));
}
