/**
 * What changed about a process between two stops of its birth.
 *
 * Knows: which parts there are and how each is compared.
 * Does not know: how changes are drawn.
 */
import type { ProcessView } from '@slipway/contracts';

export type MountLine = ProcessView['mounts'][number];

export interface ListedMount {
  readonly mount: MountLine;
  readonly mark: 'new' | 'gone' | 'changed' | 'same';
}

export interface ProcessChange {
  /** Kinds of namespaces that are others than before. */
  readonly namespaces: ReadonlySet<string>;
  /** As now, and after them those that are gone. */
  readonly mounts: readonly ListedMount[];
  readonly rootAdded: ReadonlySet<string>;
  readonly rootRemoved: readonly string[];
  readonly capabilitiesLost: readonly string[];
  readonly capabilitiesGained: readonly string[];
  /** Names of single facts: `hostname`, `cwd`, `uid` … */
  readonly facts: ReadonlySet<string>;
  readonly any: boolean;
}

/** Facts that are compared as they stand. */
const FACTS = [
  'hostname',
  'cwd',
  'uid',
  'gid',
  'groups',
  'noNewPrivileges',
  'seccomp',
  'program',
  'oomScoreAdj',
  'uidMap',
  'gidMap',
  'cgroups',
  'limits',
] as const;

/** Without a stop before there is nothing to compare with, and nothing is marked. */
export function compareProcesses(before: ProcessView | undefined, now: ProcessView): ProcessChange {
  const base = before ?? now;
  const inodes = new Map(base.namespaces.map(({ kind, inode }) => [kind, inode]));
  const namespaces = new Set(now.namespaces.filter(({ kind, inode }) => inodes.get(kind) !== inode).map(({ kind }) => kind));
  const mounts = compareMounts(base.mounts, now.mounts);
  const rootAdded = new Set(now.rootEntries.filter((name) => !base.rootEntries.includes(name)));
  const rootRemoved = base.rootEntries.filter((name) => !now.rootEntries.includes(name));
  const [held, holds] = [base.capabilities.effective, now.capabilities.effective];
  const capabilitiesLost = held.filter((name) => !holds.includes(name));
  const capabilitiesGained = holds.filter((name) => !held.includes(name));
  const facts = new Set<string>(FACTS.filter((name) => JSON.stringify(base[name]) !== JSON.stringify(now[name])));
  if (JSON.stringify(base.capabilities.bounding) !== JSON.stringify(now.capabilities.bounding)) facts.add('bounding');
  const any =
    namespaces.size + rootAdded.size + rootRemoved.length + capabilitiesLost.length + capabilitiesGained.length + facts.size > 0 ||
    mounts.some(({ mark }) => mark !== 'same');
  return { namespaces, mounts, rootAdded, rootRemoved, capabilitiesLost, capabilitiesGained, facts, any };
}

/** `mount table: 8 gone, 1 changed`, `root directory` …: what changed, in few words. Empty when nothing did. */
export function summarizeChange(change: ProcessChange): readonly string[] {
  const count = (mark: ListedMount['mark']) => change.mounts.filter((listed) => listed.mark === mark).length;
  const mounts = (['new', 'gone', 'changed'] as const).flatMap((mark) => (count(mark) > 0 ? [`${count(mark)} ${mark}`] : []));
  const rights = change.capabilitiesLost.length + change.capabilitiesGained.length;
  return [
    ...[...change.namespaces].map((kind) => `${kind} namespace`),
    ...(mounts.length > 0 ? [`mount table: ${mounts.join(', ')}`] : []),
    ...(change.rootAdded.size + change.rootRemoved.length > 0 ? ['root directory'] : []),
    ...(rights > 0 ? [`capabilities: ${change.capabilitiesLost.length} lost, ${change.capabilitiesGained.length} gained`] : []),
    ...[...change.facts].map((fact) => FACT_WORDS[fact] ?? fact),
  ];
}

const FACT_WORDS: Readonly<Record<string, string>> = {
  hostname: 'host name',
  cwd: 'working directory',
  uid: 'user',
  gid: 'group',
  noNewPrivileges: 'new privileges',
  seccomp: 'system-call filter',
  oomScoreAdj: 'out-of-memory score',
  uidMap: 'user ids',
  gidMap: 'group ids',
  cgroups: 'cgroup',
  bounding: 'bounding set',
};

/** A mount keeps its number while it lives, wherever it is moved. */
function compareMounts(before: readonly MountLine[], now: readonly MountLine[]): ListedMount[] {
  const known = new Map(before.map((mount) => [mount.id, mount]));
  const ids = new Set(now.map(({ id }) => id));
  return [
    ...now.map((mount): ListedMount => {
      const old = known.get(mount.id);
      if (old === undefined) return { mount, mark: 'new' };
      return { mount, mark: JSON.stringify(old) === JSON.stringify(mount) ? 'same' : 'changed' };
    }),
    ...before.filter(({ id }) => !ids.has(id)).map((mount): ListedMount => ({ mount, mark: 'gone' })),
  ];
}
