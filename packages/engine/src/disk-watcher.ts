/**
 * Watches what the engine takes on its disk and writes it to the journal when it changed.
 *
 * Asking a file system how much it has left costs nothing; counting files does. So files are counted only when that number moved or
 * something happened, and those of image layers once: they never change.
 *
 * Knows: when to count, and what of it.
 * Does not know: how files are counted (packages/kernel), or who shows it.
 */
import type { DiskFact } from '@slipway/journal';
import { diskSpace, treeSizes } from '@slipway/kernel';
import type { EngineContext, EnginePaths, ImageMaking } from './ports.ts';

const INTERVAL_MS = 1000;
/** Counting takes at most this share of the time. */
const SHARE = 1 / 10;
type SnapshotInfo = Awaited<ReturnType<ImageMaking['snapshots']['list']>>[number];

/** As many of each as the journal takes. */
const MAX_LISTED = 200;
const MAX_NAMES = 16;

export interface DiskWatcher {
  stop(): void;
}

/** `engine` comes late, as the engine that needs the watcher is itself being built. */
export function watchDisk(engine: () => EngineContext): DiskWatcher {
  const meter = new DiskMeter(engine);
  let [written, seenFree, resting, busy] = ['', -1, 0, false];
  let happened = true;
  let unsubscribe: (() => void) | undefined;

  const look = async (): Promise<void> => {
    unsubscribe ??= engine().events.subscribe(() => {
      happened = true;
    });
    const { freeBytes } = await diskSpace(engine().paths.root);
    if ((freeBytes === seenFree && !happened) || performance.now() < resting) return;
    [seenFree, happened] = [freeBytes, false];
    const began = performance.now();
    const fact = await meter.read();
    resting = performance.now() + (performance.now() - began) / SHARE;
    const text = JSON.stringify(fact);
    if (text === written) return;
    written = text;
    engine().emit({ type: 'disk', disk: fact });
  };

  const round = setInterval(() => {
    if (busy) return;
    busy = true;
    // What is being removed at this moment is counted the next time.
    const again = () => {
      happened = true;
    };
    void look()
      .catch(again)
      .finally(() => {
        busy = false;
      });
  }, INTERVAL_MS);
  round.unref();

  return {
    stop: () => {
      clearInterval(round);
      unsubscribe?.();
    },
  };
}

/** Counts, and remembers what cannot change. */
class DiskMeter {
  readonly #engine: () => EngineContext;
  /** Name of a committed snapshot → bytes of its directory. */
  readonly #committed = new Map<string, number>();

  constructor(engine: () => EngineContext) {
    this.#engine = engine;
  }

  async read(): Promise<DiskFact> {
    const engine = this.#engine();
    const { paths, images } = engine;
    const { snapshots } = images.making;
    const listed = await snapshots.list();
    const { sizeOf, sizes } = await this.#count(listed);
    const committed = listed.filter(({ kind }) => kind === 'committed');
    const containers = engine.containers.all().filter(({ id }) => sizeOf(id) !== undefined);
    const others = new Set([...committed.map(({ name }) => name), ...containers.map(({ id }) => id)]);
    const users = await this.#users();
    const parents = new Map(listed.map(({ name, parent }) => [name, parent]));
    const seen = (name: string): number => {
      const below = snapshots.driver === 'native' ? '' : (parents.get(name) ?? '');
      return (sizeOf(name) ?? 0) + (below === '' ? 0 : seen(below));
    };
    return {
      root: paths.root,
      snapshotter: snapshots.driver,
      ...(await diskSpace(paths.root)),
      blobBytes: sizes.get(contentOf(paths)) ?? 0,
      layers: committed.slice(0, MAX_LISTED).map(({ name, isAdopted }) => ({
        chainId: name,
        diskBytes: sizeOf(name) ?? 0,
        images: (users.get(name) ?? []).slice(0, MAX_NAMES),
        ...(isAdopted ? { elsewhere: true } : {}),
      })),
      containers: containers.slice(0, MAX_LISTED).map(({ id, record: { name, request } }) => ({
        id,
        name,
        image: request.image,
        diskBytes: sizeOf(id) ?? 0,
        seenBytes: seen(id),
      })),
      pendingBytes: sum(listed.flatMap(({ name }) => (others.has(name) ? [] : [sizeOf(name) ?? 0]))),
      buildBytes: sizes.get(paths.builds ?? '') ?? 0,
      ...(Math.max(committed.length, containers.length) > MAX_LISTED ? { truncated: true } : {}),
    };
  }

  /** Bytes by name of a snapshot, and by path for the engine's other directories. */
  async #count(listed: readonly SnapshotInfo[]) {
    const { paths, images } = this.#engine();
    const directories = new Map<string, string>();
    for (const { name, kind } of listed) {
      if (kind === 'committed' && this.#committed.has(name)) continue;
      directories.set(name, (await images.making.snapshots.directories(name)).own);
    }
    const others = [contentOf(paths), ...(paths.builds === undefined ? [] : [paths.builds])];
    const sizes = await treeSizes([...directories.values(), ...others]);
    const counted = new Map([...this.#committed, ...[...directories].map(([name, path]) => [name, sizes.get(path) ?? 0] as const)]);
    this.#committed.clear();
    for (const { name, kind } of listed) if (kind === 'committed') this.#committed.set(name, counted.get(name) ?? 0);
    return { sizes, sizeOf: (name: string) => counted.get(name) };
  }

  /** Committed snapshot → names of the images that have it. */
  async #users(): Promise<ReadonlyMap<string, readonly string[]>> {
    const users = new Map<string, string[]>();
    for (const { id, references, layers } of await this.#engine().images.list()) {
      const name = references[0] ?? id;
      for (const { chainId } of layers) users.set(chainId, [...(users.get(chainId) ?? []), name]);
    }
    return users;
  }
}

function contentOf({ root }: EnginePaths): string {
  return `${root}/content`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
