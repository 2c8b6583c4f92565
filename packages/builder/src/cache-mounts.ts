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
import { ensurePrivateDirectory, openDirectoryHandle } from '@slipway/kernel';
import { tarEnd, tarMember } from '@slipway/layers';
import type { RunMount } from './run-mounts.ts';
import { unpackTo } from './unpack-to.ts';

export type CacheMount = RunMount & { readonly type: 'cache' };

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
  async take(mount: CacheMount, signal: AbortSignal | undefined): Promise<CacheLease> {
    const path = mount.sharing === 'private' ? this.#unused(mount) : this.#pathOf(mount, 0);
    const isExclusive = mount.sharing !== 'shared';
    while (!this.#isFree(path, isExclusive)) await this.#change(signal);
    const use = this.#uses.get(path) ?? { users: 0, isExclusive };
    use.users++;
    use.isExclusive = isExclusive;
    this.#uses.set(path, use);
    const lease = { path, release: () => this.#giveBack(path) };
    await this.#ensure(path, mount).catch((error: unknown) => {
      lease.release();
      throw error;
    });
    return lease;
  }

  #isFree(path: string, wantsAlone: boolean): boolean {
    const use = this.#uses.get(path);
    return use === undefined || (!wantsAlone && !use.isExclusive);
  }

  #unused(mount: CacheMount): string {
    for (let number = 0; ; number++) {
      const path = this.#pathOf(mount, number);
      if (this.#isFree(path, true)) return path;
    }
  }

  #pathOf({ id, uid, gid, mode }: CacheMount, number: number): string {
    const name = createHash('sha256').update(`${id}\0${uid}\0${gid}\0${mode}`).digest('hex').slice(0, 32);
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
  async #ensure(path: string, mount: CacheMount): Promise<void> {
    const making = this.#made.get(path) ?? this.#make(path, mount).finally(() => this.#made.delete(path));
    this.#made.set(path, making);
    await making;
  }

  async #make(path: string, { uid, gid, mode }: CacheMount): Promise<void> {
    await ensurePrivateDirectory(this.#directory);
    const handle = await openDirectoryHandle(path).catch(() => undefined);
    if (handle !== undefined) return handle.close();
    await ensurePrivateDirectory(path);
    // By the worker that unpacks layers, which can set owners.
    await unpackTo(path, [tarMember({ name: './', type: 'directory', uid, gid, mode }), tarEnd()]);
  }
}
