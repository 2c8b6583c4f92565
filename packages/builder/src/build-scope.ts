/**
 * What all stages of one build share: the request, the context, the cache, and what is to be closed in the end.
 *
 * Knows: looking up and keeping results, and files of stages and images that others copy from.
 * Does not know: instructions.
 */
import type { CachedStep, NewLayer } from '@slipway/images';
import type { BuilderParts, BuildRequest } from './build-request.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { FileTree } from './file-tree.ts';
import { type DirectoryRights, directoryInLayers, type LayerPlace, placeInLayers } from './layer-lookup.ts';
import { readPackedTree } from './packed-tree.ts';
import { isPredefinedArg } from './predefined-args.ts';
import { chainOf, type StageState } from './stage-state.ts';
import type { StepMemory } from './step-memory.ts';

export class BuildScope {
  readonly parts: BuilderParts;
  readonly request: BuildRequest;
  readonly context: FileTree;
  /** Of all builds. */
  readonly memory: StepMemory;
  readonly caches: CacheMounts;
  /** Seconds since 1970 that no time of the result is after; undefined: times are as they are. */
  readonly latestMtime: number | undefined;
  readonly #usedArguments = new Set(['SOURCE_DATE_EPOCH']);
  readonly #closers: (() => Promise<void>)[] = [];

  constructor(
    parts: BuilderParts,
    request: BuildRequest,
    { context, memory, caches }: { readonly context: FileTree; readonly memory: StepMemory; readonly caches: CacheMounts },
  ) {
    this.parts = parts;
    this.memory = memory;
    this.caches = caches;
    this.request = request;
    this.context = context;
    const epoch = request.buildArgs['SOURCE_DATE_EPOCH'];
    this.latestMtime = epoch !== undefined && /^[0-9]{1,11}$/.test(epoch) ? Number(epoch) : undefined;
    this.closeLater(() => context.close());
  }

  /** What the build was given for an `ARG`, which then counts as used. */
  argument(name: string): string | undefined {
    this.#usedArguments.add(name);
    return this.request.buildArgs[name];
  }

  /** Build arguments that no `ARG` asked for. */
  unusedArguments(): readonly string[] {
    return Object.keys(this.request.buildArgs).filter((name) => !this.#usedArguments.has(name) && !isPredefinedArg(name));
  }

  /** RFC 3339. */
  now(): string {
    return new Date(this.latestMtime === undefined ? Date.now() : this.latestMtime * 1000).toISOString();
  }

  closeLater(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** The result of a step: kept from before, or made now. */
  async cached(key: string, make: () => Promise<NewLayer | undefined>): Promise<{ readonly step: CachedStep; readonly hit: boolean }> {
    const { cache } = this.parts.images.making;
    const known = this.request.noCache ? undefined : cache.find(key);
    if (known !== undefined) return { step: known, hit: true };
    this.request.signal?.throwIfAborted();
    const layer = await make();
    const step = { ...(layer === undefined ? {} : { layer }), created: this.now() };
    cache.put(key, step);
    return { step, hit: false };
  }

  /** What is at a path of a stage, and where that is. */
  async placeAt(state: StageState, path: string): Promise<LayerPlace> {
    return placeInLayers(await this.layersOf(state), path);
  }

  /** Of directories at paths without links; undefined for what is none. */
  async directoriesAt(state: StageState, paths: readonly string[]): Promise<readonly (DirectoryRights | undefined)[]> {
    const layers = await this.layersOf(state);
    return paths.map((path) => directoryInLayers(layers, path));
  }

  /** Directories of a stage's layers, topmost first. */
  async layersOf(state: StageState): Promise<readonly string[]> {
    if (state.layers.length === 0) return [];
    const { making } = this.parts.images;
    const { own, lowers } = await making.snapshots.directories(await making.unpack(state.layers));
    return [own, ...lowers];
  }

  /** Files below a path of a stage or image, read by a worker. @throws not-found / E_PATH_NOT_FOUND */
  async treeOf(state: StageState, path: string): Promise<FileTree> {
    const { making } = this.parts.images;
    await making.unpack(state.layers);
    const root = await making.viewOf(chainOf(state));
    const source = { kind: 'tree', root, part: { path, follow: true } } as const;
    const tree = await readPackedTree(source, { directory: this.parts.directory, compileCacheDir: making.workerCacheDir });
    this.closeLater(() => tree.close());
    return tree;
  }
}
