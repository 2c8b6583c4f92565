/**
 * cgroups as rows of a tree, and containers' layers as stacks, as panels draw them.
 *
 * Knows: depth by path, which layers several containers share.
 * Does not know: scales, colours, what is folded.
 */
import { isVisible } from './lingering.ts';
import type { CgroupSample, LayersFact, UpperEntry } from './types.ts';
import { MARK_MS, type Mark, markOf } from './view-marks.ts';
import { containerNames } from './view-processes.ts';
import type { CgroupPoint, World } from './world.ts';

export interface CgroupRow {
  readonly path: string;
  /** Last component; `/` for the machine's root. */
  readonly name: string;
  readonly depth: number;
  readonly sample: CgroupSample;
  readonly history: readonly CgroupPoint[];
  readonly containerName?: string;
  /** Share of its limit in use, 0 … 1; absent without a limit. */
  readonly memoryShare?: number;
  readonly mark?: Mark;
}

/** The machine's cgroups, parents before children. */
export function cgroupRows(world: World, nowMs: number = world.atMs): readonly CgroupRow[] {
  const names = containerNames(world);
  return world.cgroups
    .filter((entry) => isVisible(entry, entry.sample.container, nowMs))
    .map((entry): CgroupRow => {
      const parts = entry.sample.path.split('/').filter(Boolean);
      const { memoryBytes, memoryLimitBytes, container } = entry.sample;
      const name = container === undefined ? undefined : names.get(container);
      const mark = markOf(entry, nowMs);
      return {
        path: entry.sample.path,
        name: parts.at(-1) ?? '/',
        depth: parts.length,
        sample: entry.sample,
        history: entry.history,
        ...(name !== undefined && { containerName: name }),
        ...(memoryBytes !== undefined && memoryLimitBytes && { memoryShare: memoryBytes / memoryLimitBytes }),
        ...(mark && { mark }),
      };
    })
    .sort((a, b) => comparePaths(namedPath(a.path, names), namedPath(b.path, names)));
}

export interface UpperRow extends UpperEntry {
  readonly mark?: Mark;
}

export interface LayerStack {
  readonly container: string;
  readonly containerName: string;
  readonly fact: LayersFact;
  /** Bottom first; with the other containers that stand on the same layer. */
  readonly lower: readonly (LayersFact['lower'][number] & { readonly sharedWith: readonly string[] })[];
  /** The writable layer on top, mount points included. */
  readonly upper: readonly UpperRow[];
  readonly upperBytes: number;
  readonly whiteouts: number;
  /** Entries that left the writable layer in the last seconds. */
  readonly removed: readonly { readonly path: string; readonly mark: Mark }[];
}

/** One stack per container, in order of appearance. */
export function layerStacks(world: World, nowMs: number = world.atMs): readonly LayerStack[] {
  const names = containerNames(world);
  const users = new Map<string, string[]>();
  for (const { fact } of world.layers) {
    for (const { digest } of fact.lower) users.set(digest, [...(users.get(digest) ?? []), fact.container]);
  }
  return world.layers.map(({ fact, changes }) => {
    const recent = changes.filter((change) => nowMs - change.atMs <= MARK_MS && change.atMs <= nowMs);
    const marks = new Map(recent.map((change) => [change.path, change]));
    return {
      container: fact.container,
      containerName: names.get(fact.container) ?? fact.container,
      fact,
      lower: fact.lower.map((layer) => ({ ...layer, sharedWith: (users.get(layer.digest) ?? []).filter((id) => id !== fact.container) })),
      upper: fact.upper.map((entry) => {
        const change = marks.get(entry.path);
        return change && change.change !== 'removed' ? { ...entry, mark: changeMark(change, nowMs) } : entry;
      }),
      upperBytes: fact.upper.reduce((sum, entry) => sum + entry.sizeBytes, 0),
      whiteouts: fact.upper.filter((entry) => entry.kind === 'whiteout').length,
      removed: [...marks.values()]
        .filter((change) => change.change === 'removed')
        .map((change) => ({ path: change.path, mark: changeMark(change, nowMs) })),
    };
  });
}

function changeMark(change: { readonly change: 'added' | 'changed' | 'removed'; readonly atMs: number }, nowMs: number): Mark {
  const kind = { added: 'appeared', changed: 'changed', removed: 'gone' } as const;
  return { change: kind[change.change], atMs: change.atMs, agoMs: nowMs - change.atMs };
}

/** Component by component, so that children stand directly below their parent. */
/** Parents before children, and among each other by name, numbers by their size: containers stand as somebody looks for them. */
function comparePaths(left: readonly string[], right: readonly string[]): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = BY_NAME.compare(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

const BY_NAME = new Intl.Collator('en', { numeric: true });

/** A path with the containers' names for their ids. */
function namedPath(path: string, names: ReadonlyMap<string, string>): readonly string[] {
  return path
    .split('/')
    .filter(Boolean)
    .map((part) => names.get(part) ?? part);
}
