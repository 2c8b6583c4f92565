/**
 * Directories of `RUN --mount=type=cache`, which outlast builds, and who may use one at the same time.
 *
 *     shared     everybody at once, but for those who locked it
 *     locked     one after the other
 *     private    a directory of one's own: the first that nobody uses, else a new one
 *
 * Knows: who uses which directory now.
 * Does not know: steps.
 */
import { createHash } from 'node:crypto';
import { ensurePrivateDirectory, openDirectoryHandle, removeTree, renameDurably } from '@slipway/kernel';
import type { RunMount } from './run-mounts.ts';
import { unpackTo } from './unpack-to.ts';

export type CacheMount = RunMount & { readonly type: 'cache' };

/** What a cache that nobody had before begins with. */
export interface CacheBeginning {
  /** Caches that begin otherwise are others. */
  readonly key: string;
  /** A tar, its root's rights included. */
  readonly files: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface CacheLease {
  readonly path: string;
  release(): void;
}

interface Use {
  users: number;
  isExclusive: boolean;
}

export class CacheMounts {
  readonly #directory: string;
  readonly #uses = new Map<string, Use>();
  /** Those who look again when something is given back. */
  readonly #waiting = new Set<() => void>();
  readonly #made = new Map<string, Promise<void>>();

  /** @param directory one of the daemon's own, made when it is needed */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Of one mount for one step. A step that wants several takes them in the order of their ids, or two steps could wait for each other. */
  async take(mount: CacheMount, beginning: CacheBeginning, signal: AbortSignal | undefined): Promise<CacheLease> {
    const path = mount.sharing === 'private' ? this.#unused(mount, beginning) : this.#pathOf(mount, beginning, 0);
    const isExclusive = mount.sharing !== 'shared';
    while (!this.#isFree(path, isExclusive)) await this.#change(signal);
    const use = this.#uses.get(path) ?? { users: 0, isExclusive };
    use.users++;
    use.isExclusive = isExclusive;
    this.#uses.set(path, use);
    const lease = { path, release: () => this.#giveBack(path) };
    await this.#ensure(path, beginning).catch((error: unknown) => {
      lease.release();
      throw error;
    });
    return lease;
  }

  #isFree(path: string, wantsAlone: boolean): boolean {
    const use = this.#uses.get(path);
    return use === undefined || (!wantsAlone && !use.isExclusive);
  }

  #unused(mount: CacheMount, beginning: CacheBeginning): string {
    for (let number = 0; ; number++) {
      const path = this.#pathOf(mount, beginning, number);
      if (this.#isFree(path, true)) return path;
    }
  }

  #pathOf({ id, uid, gid, mode }: CacheMount, { key }: CacheBeginning, number: number): string {
    const name = createHash('sha256')
      .update(`${id}\0${uid}\0${gid}\0${mode}${key === '' ? '' : `\0${key}`}`)
      .digest('hex')
      .slice(0, 32);
    return `${this.#directory}/${name}${number === 0 ? '' : `-${number}`}`;
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        this.#waiting.delete(look);
        signal?.removeEventListener('abort', look);
        if (signal?.aborted === true) reject(signal.reason as Error);
        else resolve();
      };
      this.#waiting.add(look);
      signal?.addEventListener('abort', look, { once: true });
      if (signal?.aborted === true) look();
    });
  }

  #giveBack(path: string): void {
    const use = this.#uses.get(path);
    if (use === undefined) return;
    use.users--;
    if (use.users === 0) this.#uses.delete(path);
    for (const look of [...this.#waiting]) look();
  }

  /** Once for all who come at the same time. */
  async #ensure(path: string, beginning: CacheBeginning): Promise<void> {
    const making = this.#made.get(path) ?? this.#make(path, beginning).finally(() => this.#made.delete(path));
    this.#made.set(path, making);
    await making;
  }

  async #make(path: string, { files }: CacheBeginning): Promise<void> {
    await ensurePrivateDirectory(this.#directory);
    const handle = await openDirectoryHandle(path).catch(() => undefined);
    if (handle !== undefined) return handle.close();
    // Whole or not at all: what ended in between must not be believed.
    const making = `${path}.making`;
    await removeTree(making);
    await ensurePrivateDirectory(making);
    // By the worker that unpacks layers, which can set owners.
    await unpackTo(making, files());
    await renameDurably(making, path);
  }
}
