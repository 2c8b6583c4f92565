/**
 * Root file systems as trees: what they add, what differs, and the whole of them, for workers.
 *
 * Knows: what each kind of snapshot needs for that.
 * Does not know: containers.
 */
import type { ContentStore } from '@slipway/content';
import { EngineError } from '@slipway/errors';
import { ensurePrivateDirectory, inUserNamespace } from '@slipway/kernel';
import { packTree } from '@slipway/layers';
import { isObject } from '@slipway/oci';
import type { Snapshotter } from '@slipway/snapshots';
import type { PackedRootfs, PackOptions, RootfsChange, TreeRoot } from './image-store.ts';
import { type LayerSource, packLayer } from './make-image.ts';

export interface RootfsTreesParts {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  /** Absolute; a mount point for workers is made below it. */
  readonly root: string;
  readonly compileCacheDir: string;
}

/** Of `docker diff`: what a person can still read, and a daemon still hold. */
const MAX_CHANGES_BYTES = 64 * 1024 ** 2;

export class RootfsTrees {
  readonly #parts: RootfsTreesParts;

  constructor(parts: RootfsTreesParts) {
    this.#parts = parts;
  }

  async pack(key: string, { mountPoints, latestMtime, settle = false }: PackOptions): Promise<PackedRootfs> {
    const { content, compileCacheDir } = this.#parts;
    const times = latestMtime === undefined ? {} : { latestMtime };
    const source = await this.#sourceOf(key, mountPoints);
    return packLayer(source.kind === 'overlay' ? { ...source, settle } : source, content, { compileCacheDir, ...times });
  }

  async changes(key: string, { mountPoints }: Pick<PackOptions, 'mountPoints'>): Promise<readonly RootfsChange[]> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const sink = async (bytes: AsyncIterable<Uint8Array>) => {
      for await (const chunk of bytes) {
        size += chunk.byteLength;
        if (size > MAX_CHANGES_BYTES) throw tooMany();
        chunks.push(chunk);
      }
    };
    const source = await this.#sourceOf(key, mountPoints);
    await packTree({ source, form: 'changes', sink, compileCacheDir: this.#parts.compileCacheDir });
    const lines = Buffer.concat(chunks).toString('utf8').split('\n').filter(Boolean);
    return lines.flatMap((line) => toChange(JSON.parse(line)));
  }

  async view(keyOrName: string): Promise<TreeRoot> {
    const { own, lowers } = await this.#parts.snapshots.directories(keyOrName);
    if (lowers.length === 0) return own;
    const options = ['ro', `lowerdir=${[own, ...lowers].join(':')}`, ...(inUserNamespace() ? ['userxattr'] : [])];
    return { options, target: await this.#mountPoint() };
  }

  async writable(key: string): Promise<TreeRoot> {
    const { snapshots } = this.#parts;
    const [mount] = await snapshots.mounts(key);
    if (mount?.type !== 'overlay') return (await snapshots.directories(key)).own;
    return { options: mount.options, target: await this.#mountPoint() };
  }

  async #sourceOf(key: string, absolute: readonly string[]): Promise<LayerSource> {
    const { snapshots } = this.#parts;
    const { own, lowers, whiteouts } = await snapshots.directories(key);
    const mountPoints = absolute.map((path) => path.replace(/^\/+|\/+$/g, '')).filter(Boolean);
    if (whiteouts === 'overlay') return { kind: 'overlay', upper: own, lowers, mountPoints };
    const { parent } = await snapshots.stat(key);
    if (parent === '') return { kind: 'overlay', upper: own, lowers: [], mountPoints };
    return { kind: 'compare', tree: own, lower: (await snapshots.directories(parent)).own, mountPoints };
  }

  /** One for all, as each worker's mount is seen by it alone. */
  async #mountPoint(): Promise<string> {
    const path = `${this.#parts.root}/view`;
    await ensurePrivateDirectory(path);
    return path;
  }
}

function toChange(value: unknown): RootfsChange[] {
  if (!isObject(value)) return [];
  const { path, kind } = value;
  return typeof path === 'string' && (kind === 'added' || kind === 'modified' || kind === 'deleted') ? [{ path, kind }] : [];
}

function tooMany(): EngineError {
  return new EngineError('failed-precondition', 'more has changed than can be listed', { code: 'E_CHANGES_LIMIT', op: 'rootfs.changes' });
}
