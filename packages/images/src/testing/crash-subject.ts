/**
 * A process that does one thing to a store, and may be killed at it: `node crash-subject.ts ROOT WORK [REGISTRY]`.
 *
 * Knows: the five kinds of work that change a store durably.
 * Does not know: that it will not survive.
 */
import { type ImageStore, openImageStore } from '../index.ts';
import { layerOf, ociArchive, streamOf } from './archives.ts';

const LOWER = layerOf({ base: 'base', kept: 'kept' });
const filler = (name: string) =>
  layerOf(Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`${name}${at}`, `${name} `.repeat(300)])));

export const BASE_ARCHIVE = () => ociArchive([LOWER, filler('base')], 'docker.io/library/base:1');
export const VICTIM_ARCHIVE = () => ociArchive([LOWER, filler('victim'), filler('more')], 'docker.io/library/victim:1');
const LOADED_ARCHIVE = () => ociArchive([LOWER, filler('loaded'), filler('top')], 'docker.io/library/loaded:1');

type Work = (store: ImageStore, registry: string) => Promise<unknown>;

/** What each leaves when it is done is an image of this name; `remove` takes one away. */
export const WORKS = {
  pull: (store, registry) => store.pull(`${registry}/pulled:1`),
  load: (store) => store.loadArchive(streamOf(LOADED_ARCHIVE())),
  commit: (store) =>
    store.holding(async () => {
      const { config, layers } = await store.get('base:1');
      const { layer } = await store.packRootfs('container', { mountPoints: [] });
      return store.add({ config, layers: [...layers, ...(layer === undefined ? [] : [layer])], names: ['docker.io/library/committed:1'] });
    }),
  build: (store) =>
    store.holding(async () => {
      const { config, layers } = await store.get('base:1');
      const copied = await store.ingestLayer(streamOf(layerOf({ copied: 'by a build' })));
      await store.unpack([...layers, copied]);
      const stage = store.describe({ config, layers: [...layers, copied], names: [] });
      const { mounts: _mounts, key, directories } = await store.prepareRootfsOn(stage, `build-${process.pid}`);
      const { writeFileSync } = await import('node:fs');
      writeFileSync(`${directories.own}/run`, 'by a command');
      const packed = await store.packRootfs(key, { mountPoints: [], settle: true, latestMtime: 0 });
      if (packed.layer === undefined) throw new Error('nothing was packed');
      const all = [...layers, copied, packed.layer];
      await store.adoptRootfs(key, all, packed);
      store.cache.put('step', { layer: packed.layer, created: '2023-11-14T22:13:20Z' });
      return store.add({ config, layers: all, names: ['docker.io/library/built:1'] });
    }),
  remove: (store) => store.remove('victim:1'),
} as const satisfies Readonly<Record<string, Work>>;

export type WorkName = keyof typeof WORKS;

if (import.meta.filename === process.argv[1]) {
  const [, , root = '', work = '', registry = ''] = process.argv;
  const store = await openImageStore({ root, platform: { os: 'linux', architecture: 'amd64' } });
  try {
    await WORKS[work as WorkName](store, registry);
  } catch (error) {
    process.stderr.write(`refused: ${String(error)}\n`);
    process.exitCode = 3;
  }
  await store.close();
}
