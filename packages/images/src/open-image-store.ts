/**
 * Opening an image store: its parts below one directory, and what a crash left of the store before.
 *
 * Knows: where each part stands, and the order in which they come up.
 * Does not know: what the store does with them (local-image-store.ts).
 */
import { openContentStore } from '@slipway/content';
import { ensurePrivateDirectory, removeStoredFile, writeFileAtomic } from '@slipway/kernel';
import { openNativeSnapshotter, openOverlaySnapshotter } from '@slipway/snapshots';
import type { ImageStore, ImageStoreOptions } from './image-store.ts';
import { ImageTable } from './image-table.ts';
import { LazyLayers } from './lazy-layers.ts';
import { LocalImageStore } from './local-image-store.ts';
import { SHARED_NOTE, SharedImages } from './shared/shared-images.ts';
import { StepTable } from './step-table.ts';
import { UNPACK_KEY_PREFIX } from './unpack-image.ts';

/** Opens (and makes, 0700) the store below `options.root`, and sweeps what a crash left. */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { root } = options;
  await ensurePrivateDirectory(root);
  const open = options.snapshotter === 'native' ? openNativeSnapshotter : openOverlaySnapshotter;
  const snapshots = await open({ root: `${root}/snapshots` });
  for (const { name, kind } of await snapshots.list()) {
    if (kind === 'active' && name.startsWith(UNPACK_KEY_PREFIX)) await snapshots.remove(name);
  }
  await ensurePrivateDirectory(`${root}/worker-cache`);
  const shared = await openShared(options);
  const content = await openContentStore(`${root}/content`, shared === undefined ? {} : { shared: shared.blobs });
  const table = new ImageTable(`${root}/images.db`);
  const lazy = new LazyLayers({
    root: `${root}/lazy`,
    content,
    snapshots,
    compileCacheDir: `${root}/worker-cache`,
    settings: options.registries ?? {},
    onLayer: (chainId, bytes) => table.recordLayer(chainId, bytes),
    onNotice: options.onLazy ?? (() => undefined),
  });
  await lazy.recover();
  return new LocalImageStore(options, { content, snapshots, shared, lazy, table, steps: new StepTable(`${root}/build-steps.db`) });
}

/**
 * Which ones are used is written down for those who look at the store beside its engine. What this kernel cannot use is left out, and the
 * store is as it would be without.
 * @throws `invalid-argument` / `E_SHARED_IMAGES`
 */
async function openShared({ root, shared, snapshotter, onLazy }: ImageStoreOptions): Promise<SharedImages | undefined> {
  const noted = `${root}/${SHARED_NOTE}`;
  await removeStoredFile(noted);
  if (shared === undefined || snapshotter === 'native') return undefined;
  const images = await SharedImages.open(shared);
  const refusal = await images.refusedBy(`${root}/worker-cache`);
  if (refusal !== undefined) {
    onLazy?.({ kind: 'trouble', message: `shared images are not used, and are pulled like any other: ${refusal}` });
    return undefined;
  }
  await writeFileAtomic(noted, shared);
  return images;
}
