/**
 * What images and containers take on disk.
 *
 * Knows: that layers which images share are there once, and that adopted ones take nothing here, whoever counts them elsewhere.
 * Does not know: how bytes are counted (packages/snapshots).
 */
import type { EngineContext, EngineImage } from './ports.ts';

export interface DiskUsage {
  /** Bytes of all layers that are on this disk, each counted once. */
  readonly layerBytes: number;
  /** Image id → bytes of its layers that other images have, too, or other engines. */
  readonly sharedBytes: ReadonlyMap<string, number>;
  /** Container id → what it wrote, and that with its image. */
  readonly containers: ReadonlyMap<string, { readonly writtenBytes: number; readonly rootBytes: number }>;
}

export async function readDiskUsage(engine: EngineContext): Promise<DiskUsage> {
  const images = await engine.images.list();
  const adopted = await adoptedLayers(engine);
  const users = new Map<string, number>([...adopted].map((chainId) => [chainId, 1]));
  for (const { chainId } of images.flatMap(({ layers }) => layers)) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  const sharedBytes = new Map(
    images.map(({ id, layers }) => [
      id,
      sum(layers.filter(({ chainId }) => (users.get(chainId) ?? 0) > 1).map((layer) => layer.sizeBytes)),
    ]),
  );
  const imageBytes = new Map<string, number>(images.map(({ id, sizeBytes }) => [id, sizeBytes]));
  const containers = new Map<string, { writtenBytes: number; rootBytes: number }>();
  for (const { id, record } of engine.containers.all()) {
    const usage = await engine.images.making.snapshots.usage(id).catch(() => undefined); // being removed at this moment
    const writtenBytes = usage?.sizeBytes ?? 0;
    containers.set(id, { writtenBytes, rootBytes: writtenBytes + (imageBytes.get(record.imageId) ?? 0) });
  }
  return { layerBytes: layerBytes(images, adopted), sharedBytes, containers };
}

/** Chain ids of layers whose files stand on another disk. */
export async function adoptedLayers(engine: EngineContext): Promise<ReadonlySet<string>> {
  const snapshots = await engine.images.making.snapshots.list();
  return new Set(snapshots.filter(({ isAdopted }) => isAdopted).map(({ name }) => name));
}

/** Bytes of all layers of these images but the `adopted`, each counted once. */
export function layerBytes(images: readonly EngineImage[], adopted: ReadonlySet<string>): number {
  const sizes = new Map(images.flatMap(({ layers }) => layers.map(({ chainId, sizeBytes }) => [chainId, sizeBytes] as const)));
  return sum([...sizes].map(([chainId, bytes]) => (adopted.has(chainId) ? 0 : bytes)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
