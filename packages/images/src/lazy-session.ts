/**
 * A lazily pulled image's layers as a daemon follows them, and what an earlier daemon left of that.
 *
 * Knows: which of them need no server any more, and how that is written down.
 * Does not know: servers' events, or what is done about a session (lazy-layers.ts).
 */
import { findText, writeFileAtomic } from '@slipway/kernel';
import { findSession, isServed, type ServerSession } from '@slipway/lazy';
import type { Snapshotter } from '@slipway/snapshots';
import { type LayerFact, readLayers } from './lazy-files.ts';

export interface LazySession {
  readonly directory: string;
  /** Lowest first, as the server counts them. */
  readonly layers: readonly LayerFact[];
  readonly session: ServerSession;
  /** Layers that are whole, or gone. */
  readonly done: Set<number>;
  readonly here: Map<number, number>;
  restarts: number;
}

export type LeftSession =
  | { readonly state: 'arriving'; readonly session: LazySession; readonly isServed: boolean }
  /** Nobody needs it. `layers` are snapshots without content: it ended between the first of them and its server, and no image can stand on them. */
  | { readonly state: 'over'; readonly layers: readonly LayerFact[] };

export function newSession(about: Pick<LazySession, 'directory' | 'layers' | 'session'>): LazySession {
  return { ...about, done: new Set(), here: new Map(), restarts: 0 };
}

/** Writes down that one layer needs no server any more. @returns whether none does */
export async function noteDone({ directory, layers, done }: LazySession, at: number): Promise<boolean> {
  done.add(at);
  await writeFileAtomic(doneFile(directory, at), '');
  return done.size === layers.length;
}

/** What stands in the directory of a session that is not this daemon's own. */
export async function readLeftSession(directory: string, snapshots: Pick<Snapshotter, 'find'>): Promise<LeftSession> {
  const layers = await readLayers(directory);
  const session = await findSession(directory);
  if (session === undefined) return { state: 'over', layers };
  const known = newSession({ directory, layers, session });
  for (const [at, { chainId }] of layers.entries()) {
    const isDone = (await findText(doneFile(directory, at))) !== undefined || (await snapshots.find(chainId)) === undefined;
    if (isDone) known.done.add(at);
  }
  if (known.done.size === layers.length) return { state: 'over', layers: [] };
  return { state: 'arriving', session: known, isServed: await isServed(directory) };
}

function doneFile(directory: string, at: number): string {
  return `${directory}/${at}.done`;
}
