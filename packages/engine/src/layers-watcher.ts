/**
 * Watches the writable layers of running containers and writes what changed to the journal.
 *
 * Knows: when to look: soon after something happened, else at an interval, and never more often than that.
 * Does not know: who shows it.
 */
import type { LayersFact } from '@slipway/journal';
import { hostControlFiles, OpaqueDirectories, scanUpper } from '@slipway/kernel';
import type { LiveContainer } from './live-container.ts';
import { markMountPoints, mountDestinations } from './mount-points.ts';
import type { EngineContext } from './ports.ts';

/** At least this long between two looks at one container. */
const INTERVAL_MS = 400;
/** Containers looked at in one round, so that two hundred of them do not keep a CPU busy. */
const PER_ROUND = 20;
const MAX_ENTRIES = 500;

export interface LayersWatcher {
  /** Something happened to this container: look now, or as soon as the interval allows. */
  changed(id: string): void;
  stop(): void;
}

interface Seen {
  lookedAt: number;
  written: string;
  timer: NodeJS.Timeout | undefined;
  opaque: OpaqueDirectories | undefined;
}

/** `find` and the context come late, as the engine that needs the watcher is itself being built. */
export function watchLayers(engine: () => EngineContext): LayersWatcher {
  const seen = new Map<string, Seen>();
  let turn = 0;

  const look = async (id: string): Promise<void> => {
    const container = engine()
      .containers.all()
      .find((candidate) => candidate.id === id);
    const state = seen.get(id);
    if (container === undefined || state === undefined) return void seen.delete(id);
    state.lookedAt = performance.now();
    const fact = await readLayers(container, state).catch(() => undefined);
    if (fact === undefined) return; // being removed at this moment
    const text = JSON.stringify(fact);
    if (text === state.written) return;
    state.written = text;
    engine().emit({ type: 'layers', layers: fact });
  };

  const changed = (id: string): void => {
    const state = seen.get(id) ?? { lookedAt: Number.NEGATIVE_INFINITY, written: '', timer: undefined, opaque: undefined };
    seen.set(id, state);
    if (state.timer !== undefined) return;
    const wait = Math.max(0, state.lookedAt + INTERVAL_MS - performance.now());
    state.timer = setTimeout(() => {
      state.timer = undefined;
      void look(id);
    }, wait);
  };

  const round = setInterval(() => {
    const running = engine()
      .containers.all()
      .filter(({ record }) => record.status === 'running');
    for (const container of running.slice(turn, turn + PER_ROUND)) changed(container.id);
    turn = turn + PER_ROUND >= running.length ? 0 : turn + PER_ROUND;
  }, INTERVAL_MS);
  round.unref();

  return {
    changed,
    stop: () => {
      clearInterval(round);
      for (const { timer } of seen.values()) clearTimeout(timer);
    },
  };
}

async function readLayers(container: LiveContainer, state: Seen): Promise<LayersFact | undefined> {
  const { id, record } = container;
  const { rootfs } = record;
  if (rootfs === undefined) return undefined;
  state.opaque ??= new OpaqueDirectories(rootfs.lower.map(({ directory }) => directory));
  const { entries, truncated } = await scanUpper(rootfs.upperDirectory, MAX_ENTRIES, state.opaque);
  const mountLine = record.status === 'running' && record.pid !== undefined ? findRootMountLine(record.pid) : undefined;
  return {
    container: id,
    snapshotter: rootfs.snapshotter,
    lower: rootfs.lower,
    upperDirectory: rootfs.upperDirectory,
    upper: markMountPoints(entries, mountDestinations(record.request.host)),
    ...(truncated ? { truncated } : {}),
    ...(mountLine === undefined ? {} : { mountLine }),
  };
}

function findRootMountLine(pid: number): string | undefined {
  try {
    const lines = hostControlFiles.read(`/proc/${pid}/mountinfo`).split('\n');
    return lines.find((line) => line.split(' ')[4] === '/');
  } catch {
    return undefined; // it ended at this moment
  }
}
