/**
 * Layers that are read before they have come, until each is an ordinary snapshot.
 *
 *     snapshot's directory  ◀── covered by the server's file system ◀── registry, piece by piece
 *                  ▲                                      │ complete
 *                  └── unpacked beneath ◀── blob, verified ◀┘          then the cover goes: new containers see the plain directory
 *
 * Knows: the order that leaves, after a crash, either a session that says which snapshots are not whole yet, or whole ones.
 * Does not know: FUSE and indexes (packages/lazy); names and records.
 */
import { randomUUID } from 'node:crypto';
import type { ContentStore } from '@slipway/content';
import { EngineError, hasCode } from '@slipway/errors';
import { ensurePrivateDirectory, hasFuse, isCovered, listNames, removeTree, uncover } from '@slipway/kernel';
import {
  type Below,
  hasIndex,
  type PlannedLayer,
  planLazyLayers,
  readLayerIndex,
  type ServerSession,
  sessionEvents,
  sessionFiles,
  startServer,
  startSession,
} from '@slipway/lazy';
import { type ChainId, chainIds, type Descriptor } from '@slipway/oci';
import type { Credentials, Repository } from '@slipway/registry-client';
import type { Snapshotter } from '@slipway/snapshots';
import { type LayerFact, writeLayers } from './lazy-files.ts';
import { type LazySession, newSession, noteDone, readLeftSession } from './lazy-session.ts';
import { lookBelow } from './look-below.ts';
import type { LayerEvent, LazyNotice, RegistrySettings } from './registry-port.ts';
import type { SelectedImage } from './select-manifest.ts';
import { UNPACK_KEY_PREFIX } from './unpack-image.ts';
import { storeBlob, unpackBeneath } from './whole-layer.ts';

export interface LazyLayersParts {
  /** Absolute; holds a directory for each session. */
  readonly root: string;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly compileCacheDir: string;
  readonly settings: RegistrySettings;
  readonly onLayer: (chainId: ChainId, fileBytes: number) => void;
  readonly onNotice: (notice: LazyNotice) => void;
}

/** A server that ends by itself again and again is not started for ever. */
const MOST_RESTARTS = 3;

export class LazyLayers {
  readonly #parts: LazyLayersParts;
  readonly #sessions = new Set<LazySession>();
  readonly #ending = new AbortController();
  readonly #following = new Set<Promise<void>>();

  constructor(parts: LazyLayersParts) {
    this.#parts = parts;
  }

  /** Takes up what an earlier daemon left: servers that run are listened to, others are started again. Before anything else is asked. */
  async recover(): Promise<void> {
    await ensurePrivateDirectory(this.#parts.root);
    for (const name of await listNames(this.#parts.root)) await this.#takeUp(`${this.#parts.root}/${name}`);
  }

  /**
   * From which layer on an image can be served; undefined with a reason when none can. Layers below are pulled as ever, and so is a layer
   * without an index together with all below it.
   */
  async reach({ manifest, config }: SelectedImage): Promise<{ readonly from: number } | { readonly reason: string }> {
    if (this.#parts.snapshots.driver !== 'overlay')
      return { reason: 'snapshots are copies here, and a layer is copied only when all of it is there' };
    if (!hasFuse()) return { reason: 'there is no /dev/fuse here' };
    const chains = chainIds(config.diffIds);
    let from = manifest.layers.length;
    while (from > 0) {
      const [layer, chain] = [manifest.layers[from - 1], chains[from - 1]];
      if (layer === undefined || chain === undefined) break;
      if (!hasIndex(layer) && (await this.#parts.snapshots.find(chain)) === undefined) break;
      from--;
    }
    return from === manifest.layers.length ? { reason: 'its layers have no index' } : { from };
  }

  /** Serves the layers from `from` on that are not here; those below are unpacked. Inside a hold. @throws what makes an ordinary pull necessary */
  async serve(
    image: SelectedImage,
    from: number,
    repository: Repository,
    options: { readonly credentials?: Credentials; readonly signal?: AbortSignal },
  ): Promise<void> {
    const { layers, parent } = await this.#missing(image, from);
    if (layers.length === 0) return;
    const indexes = await Promise.all(
      layers.map(async ({ descriptor }) => ({ descriptor, index: await readLayerIndex(repository, descriptor, options.signal) })),
    );
    const planned = planLazyLayers(indexes, await this.#below(parent));
    const directory = `${this.#parts.root}/${randomUUID()}`;
    try {
      await ensurePrivateDirectory(directory);
      // Before the first snapshot is there: after a crash it must not be taken for a whole one.
      await writeLayers(directory, layers);
      const targets = await this.#cover(layers, parent);
      const served = planned.map((plan, at) => ({ ...plan.served, target: targets[at] ?? '' }));
      await this.#start({ directory, layers, served, planned, repository, options });
    } catch (error) {
      await this.#undo(directory, layers);
      throw error;
    }
    for (const [at, { fileBytes }] of planned.entries()) {
      const layer = layers[at];
      if (layer !== undefined) this.#parts.onLayer(layer.chainId, fileBytes);
    }
  }

  /** @throws `failed-precondition` / `E_LAYER_ARRIVING` when one of these layers is not here as a blob yet */
  async requireWhole(layers: readonly { readonly chainId: ChainId; readonly descriptor: Descriptor }[]): Promise<void> {
    for (const { chainId, descriptor } of layers) {
      const here = this.arriving(chainId);
      if (here === undefined || (await this.#parts.content.stat(descriptor.digest)) !== undefined) continue;
      throw new EngineError(
        'failed-precondition',
        `layer ${descriptor.digest} is still arriving: ${here} of ${descriptor.size} bytes are here`,
        {
          code: 'E_LAYER_ARRIVING',
          op: 'image.read',
          subject: descriptor.digest,
          hint: 'Try again once all of it is here, or pull the image without --lazy.',
        },
      );
    }
  }

  /** Bytes of a layer that are here; undefined for one that is whole. */
  arriving(chainId: ChainId): number | undefined {
    for (const session of this.#sessions) {
      const at = session.layers.findIndex((layer) => layer.chainId === chainId);
      if (at >= 0 && !session.done.has(at)) return session.here.get(at) ?? 0;
    }
    return undefined;
  }

  /** A snapshot has been removed: nobody needs its layer. */
  async forget(chainId: string): Promise<void> {
    for (const session of this.#sessions) {
      const at = session.layers.findIndex((layer) => layer.chainId === chainId);
      if (at >= 0) await this.#settle(session, at);
    }
  }

  /** Makes ordinary snapshots of those whose blobs have come another way. */
  async adopt(): Promise<void> {
    for (const session of this.#sessions) {
      for (const [at, { descriptor }] of session.layers.entries()) {
        if (!session.done.has(at) && (await this.#parts.content.stat(descriptor.digest)) !== undefined) await this.#replace(session, at);
      }
    }
  }

  /** Stops listening; servers go on. */
  async close(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#following);
  }

  /** The layers without a snapshot, and the snapshot that they stand on. */
  async #missing(
    { manifest, config }: SelectedImage,
    from: number,
  ): Promise<{ readonly layers: readonly LayerFact[]; readonly parent: ChainId | '' }> {
    const chains = chainIds(config.diffIds);
    let first = from;
    for (; first < chains.length; first++) if ((await this.#parts.snapshots.find(chains[first] ?? '')) === undefined) break;
    const layers = manifest.layers.slice(first).flatMap((descriptor, at): LayerFact[] => {
      const [chainId, diffId] = [chains[first + at], config.diffIds[first + at]];
      return chainId === undefined || diffId === undefined ? [] : [{ chainId, diffId, descriptor }];
    });
    return { layers, parent: chains[first - 1] ?? '' };
  }

  /** What the layers under `parent`, and it, have at a path; links are not followed. */
  async #below(parent: ChainId | ''): Promise<(path: string) => Below> {
    if (parent === '') return () => ({ kind: 'absent' });
    const { own, lowers } = await this.#parts.snapshots.directories(parent);
    return (path) => lookBelow([own, ...lowers], path);
  }

  /** Empty snapshots for the layers. @returns their directories */
  async #cover(layers: readonly LayerFact[], parent: ChainId | ''): Promise<string[]> {
    const { snapshots } = this.#parts;
    const targets: string[] = [];
    let below: string = parent;
    for (const { chainId } of layers) {
      const key = `${UNPACK_KEY_PREFIX}${chainId}/${randomUUID()}`;
      await snapshots.prepare(below, key);
      await snapshots.commit(chainId, key);
      targets.push((await snapshots.directories(chainId)).own);
      below = chainId;
    }
    return targets;
  }

  async #start(about: {
    readonly directory: string;
    readonly layers: readonly LayerFact[];
    readonly served: ServerSession['layers'];
    readonly planned: readonly PlannedLayer[];
    readonly repository: Repository;
    readonly options: { readonly credentials?: Credentials };
  }): Promise<void> {
    const { directory, layers, served, planned, repository, options } = about;
    const { insecureRegistries = [], certificatesDirectory, proxies } = this.#parts.settings;
    const session: ServerSession = {
      place: repository.place,
      insecureRegistries,
      layers: served,
      ...(certificatesDirectory === undefined ? {} : { certificatesDirectory }),
    };
    const tocs = planned.map(({ tocBytes }) => tocBytes);
    const { compileCacheDir } = this.#parts;
    await startSession({
      directory,
      session,
      tocs,
      compileCacheDir,
      proxies,
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    });
    await this.#follow(newSession({ directory, layers, session }));
  }

  /** Listens to a session's server. Resolves when its layers can be read. @throws when they never will */
  #follow(session: LazySession): Promise<void> {
    this.#sessions.add(session);
    const ready = Promise.withResolvers<void>();
    const following = this.#listen(session, ready).finally(() => this.#following.delete(following));
    this.#following.add(following);
    return ready.promise;
  }

  async #listen(session: LazySession, ready: PromiseWithResolvers<void>): Promise<void> {
    try {
      for await (const event of sessionEvents(session.directory, this.#ending.signal)) {
        if (event.event === 'ready') ready.resolve();
        else if (event.event === 'refused') ready.reject(new Error(event.reason));
        else await this.#note(session, event);
        if (session.done.size === session.layers.length) return;
      }
      ready.reject(new Error('its server has ended'));
      if (!this.#ending.signal.aborted && this.#sessions.has(session)) await this.#serveAgain(session);
    } catch (error) {
      ready.reject(error);
      this.#parts.onNotice({ kind: 'trouble', message: `lazy layers: ${error instanceof Error ? error.message : String(error)}` });
    }
  }

  async #note(session: LazySession, event: LayerEvent): Promise<void> {
    const layer = session.layers[event.layer];
    if (layer === undefined || session.done.has(event.layer)) return;
    const { digest, size } = layer.descriptor;
    if (event.event === 'here') session.here.set(event.layer, event.bytes);
    this.#parts.onNotice({ kind: 'event', digest, sizeBytes: size, chainId: layer.chainId, event });
    if (event.event === 'complete') await this.#keepBlob(session, event.layer);
  }

  /** The blob into the store; then its snapshot is made an ordinary one. */
  async #keepBlob(session: LazySession, at: number): Promise<void> {
    const layer = session.layers[at];
    if (layer === undefined) return;
    try {
      if (await storeBlob(this.#parts.content, layer, sessionFiles(session.directory).blob(at))) await this.#replace(session, at);
    } catch (error) {
      // Removed with its image meanwhile: nobody misses it.
      if ((await this.#parts.snapshots.find(layer.chainId)) === undefined) return;
      const message = `layer ${layer.descriptor.digest} stays lazy: ${error instanceof Error ? error.message : String(error)}`;
      this.#parts.onNotice({ kind: 'trouble', message });
    }
  }

  /** Unpacks beneath the cover, and takes it off. Containers that have it mounted keep it, and with it the server. */
  async #replace(session: LazySession, at: number): Promise<void> {
    const layer = session.layers[at];
    const target = session.session.layers[at]?.target;
    if (layer === undefined || target === undefined || session.done.has(at)) return;
    this.#parts.onLayer(layer.chainId, await unpackBeneath(this.#parts, layer, target, session.directory));
    await this.#settle(session, at);
    await uncover(target);
    this.#parts.onNotice({ kind: 'whole', digest: layer.descriptor.digest, chainId: layer.chainId });
  }

  /** One layer needs no server any more; after the last one nothing of the session is left but what containers hold. */
  async #settle(session: LazySession, at: number): Promise<void> {
    if (!(await noteDone(session, at))) return;
    this.#sessions.delete(session);
    await removeTree(session.directory);
  }

  async #takeUp(directory: string): Promise<void> {
    const left = await readLeftSession(directory, this.#parts.snapshots);
    if (left.state === 'over') return this.#undo(directory, left.layers);
    const follow = left.isServed ? this.#follow(left.session) : this.#serveAgain(left.session);
    follow.catch((error: unknown) => this.#parts.onNotice({ kind: 'trouble', message: `lazy layers: ${String(error)}` }));
    // Containers are looked after next: they must not find empty directories.
    await follow.catch(() => undefined);
  }

  /** With no credentials: those of the pull are not kept. */
  async #serveAgain(session: LazySession): Promise<void> {
    this.#sessions.add(session);
    for (const { target } of session.session.layers) await uncover(target);
    if (session.restarts++ >= MOST_RESTARTS) throw new Error('its server ends again and again: pull the image again');
    // Layers that are whole are covered for a moment more than they need to be, which nobody can tell.
    const { compileCacheDir, settings } = this.#parts;
    await startServer(session.directory, session.session, { compileCacheDir, proxies: settings.proxies });
    await this.#follow(session);
    for (const at of session.done) await uncover(session.session.layers[at]?.target ?? '');
  }

  async #undo(directory: string, layers: readonly LayerFact[]): Promise<void> {
    for (const session of this.#sessions) if (session.directory === directory) this.#sessions.delete(session);
    for (const { chainId } of layers.toReversed()) {
      await this.#parts.snapshots.remove(chainId).catch((error: unknown) => {
        if (!hasCode(error, 'E_SNAPSHOT_NOT_FOUND')) throw error;
      });
    }
    const { mountPoint } = sessionFiles(directory);
    if (isCovered(mountPoint)) await uncover(mountPoint);
    await removeTree(directory);
  }
}
