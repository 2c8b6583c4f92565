/**
 * The directories and files of the host that the mounts of one `RUN` are made of.
 *
 * Knows: where each kind comes from, and how to take away what is for this step alone.
 * Does not know: containers.
 */
import { randomUUID } from 'node:crypto';
import type { BindRequest } from '@slipway/engine';
import { ensurePrivateDirectory, removeTree } from '@slipway/kernel';
import { tarEnd, tarMember } from '@slipway/layers';
import type { BuildScope } from './build-scope.ts';
import type { CacheBeginning, CacheLease, CacheMount } from './cache-mounts.ts';
import { copyLayer, findSources, planCopy, ROOT } from './copy.ts';
import { stepError } from './failure.ts';
import type { FileTree } from './file-tree.ts';
import type { FilesOf, RunMount } from './run-mounts.ts';
import { unpackTo } from './unpack-to.ts';

type BindMount = RunMount & { readonly type: 'bind' };
type SecretMount = RunMount & { readonly type: 'secret' };

/** Of a whole tree, whose root is in no archive. */
const DEFAULT_ROOT = { uid: 0, gid: 0, mode: 0o755 };

export interface StepMounts {
  readonly mounts: readonly RunMount[];
  /** The tree that a mount's files are in: the context, a stage, an image. */
  readonly treeOf: (files: FilesOf) => Promise<{ readonly tree: FileTree; readonly source: string }>;
  /** Names what that tree holds. */
  readonly keyOf: (files: FilesOf) => Promise<string>;
  readonly line: number;
}

/** Directories that are made for one step begin so. */
export const MOUNT_PREFIX = 'mount-';

/** What is mounted for one step. Dispose of it. */
export class StepBinds implements AsyncDisposable {
  readonly binds: BindRequest[] = [];
  readonly #scope: BuildScope;
  readonly #step: StepMounts;
  readonly #made: string[] = [];
  readonly #leases = new Map<string, CacheLease>();

  private constructor(scope: BuildScope, step: StepMounts) {
    this.#scope = scope;
    this.#step = step;
  }

  static async make(scope: BuildScope, step: StepMounts): Promise<StepBinds> {
    const made = new StepBinds(scope, step);
    try {
      await made.#takeCaches();
      for (const mount of step.mounts) await made.#add(mount);
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#made.splice(0)) await removeTree(path);
    for (const lease of this.#leases.values()) lease.release();
    this.#leases.clear();
  }

  async #add(mount: RunMount): Promise<void> {
    if (mount.type === 'tmpfs') return;
    const source = await this.#sourceOf(mount);
    const readOnly = mount.type === 'secret' || mount.readOnly;
    this.binds.push({ source, destination: mount.target, readOnly, createSource: false });
  }

  async #sourceOf(mount: Exclude<RunMount, { type: 'tmpfs' }>): Promise<string> {
    if (mount.type === 'cache') return this.#leases.get(leaseKey(mount))?.path ?? '';
    return mount.type === 'secret' ? this.#secretFile(mount) : this.#files(mount);
  }

  /** In one order for all steps, so that no two wait for each other. */
  async #takeCaches(): Promise<void> {
    const wanted = new Map(this.#step.mounts.flatMap((mount) => (mount.type === 'cache' ? [[leaseKey(mount), mount] as const] : [])));
    for (const [key, mount] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)))
      this.#leases.set(key, await this.#scope.caches.take(mount, await this.#beginningOf(mount), this.#scope.request.signal));
  }

  async #beginningOf(mount: CacheMount): Promise<CacheBeginning> {
    const { base } = mount;
    if (base === undefined) return { key: '', files: () => [rootOf(mount), tarEnd()] };
    const key = JSON.stringify([await this.#step.keyOf(base), base.source]);
    return { key, files: () => this.#copyOf(base, mount) };
  }

  async *#copyOf(base: FilesOf, mount: CacheMount): AsyncGenerator<Uint8Array> {
    const { line, treeOf } = this.#step;
    const { tree, source } = await treeOf(base);
    const [path = ''] = findSources(tree, [source], line);
    if (!tree.isDirectory(path))
      throw stepError(line, `a cache begins as a directory, and ${JSON.stringify(source.slice(0, 200))} is none`);
    const copied = copyLayer(planCopy(tree, [path], { destination: '/', isDirectory: true, line }), undefined);
    yield* withRoot(tree.get(path)?.entry ?? mount, copied);
  }

  async #files(mount: BindMount): Promise<string> {
    const { tree, source } = await this.#step.treeOf(mount);
    const directory = await this.#directoryIn(this.#scope.parts.directory, 0o755);
    const [path = ''] = findSources(tree, [source], this.#step.line);
    // Of a stage or an image, they are whose they are there; whose they are where a context comes from means nothing here.
    const owner = mount.from === undefined ? { owner: ROOT } : {};
    const copied = copyLayer(planCopy(tree, [path], { destination: '/', isDirectory: true, ...owner, line: this.#step.line }), undefined);
    if (!tree.isDirectory(path)) {
      await unpackTo(directory, copied);
      return `${directory}/${path.slice(path.lastIndexOf('/') + 1)}`;
    }
    await unpackTo(directory, withRoot({ ...(tree.get(path)?.entry ?? DEFAULT_ROOT), ...owner.owner }, copied));
    return directory;
  }

  /** A user of the container's may be the one it is for, so only its own mode guards it there; the directory above guards it here. */
  async #secretFile({ id, uid, gid, mode }: SecretMount): Promise<string> {
    const { secretsDirectory } = this.#scope.parts;
    await ensurePrivateDirectory(secretsDirectory);
    const directory = await this.#directoryIn(secretsDirectory);
    const bytes = this.#scope.request.secrets?.get(id) ?? new Uint8Array();
    await unpackTo(directory, [tarMember({ name: 'secret', type: 'file', uid, gid, mode }, bytes), tarEnd()]);
    return `${directory}/secret`;
  }

  async #directoryIn(parent: string, mode?: number): Promise<string> {
    const directory = `${parent}/${MOUNT_PREFIX}${randomUUID()}`;
    this.#made.push(directory);
    await ensurePrivateDirectory(directory, mode);
    return directory;
  }
}

/** A step that mounts one cache twice has it once. */
function leaseKey({ id, uid, gid, mode, base }: CacheMount): string {
  return JSON.stringify([id, uid, gid, mode, base]);
}

async function* withRoot(root: Parameters<typeof rootOf>[0], members: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield rootOf(root);
  yield* members;
}

function rootOf({ uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number }): Uint8Array {
  return tarMember({ name: './', type: 'directory', uid, gid, mode });
}
