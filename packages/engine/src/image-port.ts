/**
 * The engine's view of the image store.
 *
 * Knows: which of the store's words are the engine's.
 * Does not know: how images are stored.
 */
import { EngineError } from '@slipway/errors';
import type { Image, ImageStore } from '@slipway/images';
import type { LowerLayer, Rootfs } from './container.ts';
import type { EngineImage, ImagePort } from './ports.ts';

/** Longest value fsconfig(2) takes. */
const MAX_OPTION = 255;

export function createImagePort(store: ImageStore, warn: (message: string) => void): ImagePort {
  /** One entry for each time an image was lent. */
  const loans: Image[] = [];
  return {
    list: async () => (await store.list()).map(toEngineImage),
    find: async (reference) => {
      const image = loans.find(({ id }) => id === reference) ?? (await store.find(reference));
      return image === undefined ? undefined : toEngineImage(image);
    },
    load: async (archive) => {
      const report = await store.loadArchive(archive);
      for (const warning of report.warnings) warn(warning);
      return report.images.map(({ id, names }) => ({ id, references: names }));
    },
    remove: async (reference, options) => {
      const { untagged, deleted } = await store.remove(reference, options);
      return { untagged, deleted: deleted === undefined ? [] : [deleted] };
    },
    tag: (reference, name) => store.tag(reference, name),
    prepareRootfs: async (key, imageId) => {
      const image = loans.find(({ id }) => id === imageId);
      return toRootfs(await (image === undefined ? store.prepareRootfs(imageId, key) : store.prepareRootfsOn(image, key)));
    },
    lend: (image) => {
      const described = store.describe(image);
      loans.push(described);
      const release = () => {
        const at = loans.indexOf(described);
        if (at >= 0) loans.splice(at, 1); // quiet the second time
      };
      return { id: described.id, release };
    },
    removeRootfs: (key) => store.removeRootfs(key),
    making: store,
    registries: store,
  };
}

function toEngineImage(image: Image): EngineImage {
  const { id, names, repoDigests, manifest, config, layers, sizeBytes } = image;
  return { id, references: names, repoDigests, manifestDigest: manifest.digest, config, layers, sizeBytes };
}

type Prepared = Awaited<ReturnType<ImageStore['prepareRootfs']>>;

function toRootfs({ image, mounts, directories }: Prepared): Rootfs {
  const [mount, ...more] = mounts;
  if (mount === undefined || more.length > 0) {
    throw new EngineError('internal', `a root of ${mounts.length} mounts`, { code: 'E_ROOTFS', op: 'snapshot.prepare' });
  }
  const upperDirectory = directories.own;
  if (mount.type === 'bind') return { snapshotter: 'native', upperDirectory: mount.source, lower: [] };
  const data = mount.options.flatMap(shorten);
  return {
    snapshotter: 'overlay',
    mount: { fsType: mount.type, source: mount.source, data },
    upperDirectory,
    lower: toLayers(image, directories.lowers),
  };
}

/** `lowers` is topmost first; what the engine shows is bottom first. */
function toLayers(image: Image, lowers: readonly string[]): readonly LowerLayer[] {
  return lowers.toReversed().map((directory, index) => {
    const layer = image.layers[index];
    return {
      digest: layer?.diffId ?? '',
      directory,
      ...(layer === undefined ? {} : { sizeBytes: layer.sizeBytes }),
      ...(layer?.createdBy === undefined ? {} : { createdBy: layer.createdBy }),
    };
  });
}

/** A long stack does not fit into one option; the kernel takes its directories one by one as well, topmost first. */
function shorten(option: string): readonly string[] {
  if (option.length <= MAX_OPTION || !option.startsWith('lowerdir=')) return [option];
  const directories = option.slice('lowerdir='.length).split(/(?<!\\):/);
  return directories.map((directory) => `lowerdir+=${directory.replaceAll('\\:', ':')}`);
}
