/**
 * Results of build steps that are kept: a layer, or that there was none.
 *
 * Knows: the form of an entry, and how many are kept.
 * Does not know: what a key is made of (packages/builder).
 */
import { failPoint } from '@slipway/kernel';
import { type Digest, isObject, parseDiffId, parseDigest } from '@slipway/oci';
import type { BuildCache, CachedStep, GarbageReport } from './image-store.ts';
import type { StepTable } from './step-table.ts';

const MAX_STEPS = 2000;

export class StepCache implements BuildCache {
  readonly #table: StepTable;
  readonly #collect: () => Promise<GarbageReport>;

  constructor(table: StepTable, collect: () => Promise<GarbageReport>) {
    this.#table = table;
    this.#collect = collect;
  }

  find(key: string): CachedStep | undefined {
    const text = this.#table.find(key, Date.now());
    return text === undefined ? undefined : parseStep(text);
  }

  put(key: string, step: CachedStep): void {
    this.#table.put(key, JSON.stringify(step), { nowMs: Date.now(), most: MAX_STEPS });
    failPoint('step.kept');
  }

  async prune(): Promise<GarbageReport> {
    this.#table.clear();
    return this.#collect();
  }

  usage(): { readonly steps: number; readonly blobBytes: number } {
    const steps = this.#table.list().map(parseStep);
    const sizes = new Map(
      steps.flatMap(({ layer }) => (layer === undefined ? [] : [[layer.descriptor.digest, layer.descriptor.size] as const])),
    );
    return { steps: steps.length, blobBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
  }

  /** Blobs that are kept for later builds. */
  digests(): readonly Digest[] {
    return this.#table.list().flatMap((text) => parseStep(text).layer?.descriptor.digest ?? []);
  }
}

/** An entry's text as its result. */
export function parseStep(text: string): CachedStep {
  const entry: unknown = JSON.parse(text);
  const { layer, created } = isObject(entry) ? entry : {};
  const step = { created: String(created) };
  if (!isObject(layer) || !isObject(layer['descriptor'])) return step;
  const { mediaType, digest, size } = layer['descriptor'];
  const descriptor = { mediaType: String(mediaType), digest: parseDigest(String(digest)), size: Number(size) };
  return { ...step, layer: { descriptor, diffId: parseDiffId(String(layer['diffId'])) } };
}
