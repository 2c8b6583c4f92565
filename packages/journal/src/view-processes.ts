/**
 * The process tree and the sets of namespaces, as panels draw them.
 *
 * Knows: parents, containers, who shares a namespace with whom.
 * Does not know: positions, colours, what is folded.
 */
import { isVisible } from './lingering.ts';
import type { NamespaceName, ProcessFact } from './types.ts';
import { type Mark, markOf } from './view-marks.ts';
import type { World, WorldProcess } from './world.ts';

export interface ProcessNode {
  readonly key: string;
  readonly fact: ProcessFact;
  readonly depth: number;
  readonly children: readonly ProcessNode[];
  /** Name of its container, where it is in one. */
  readonly containerName?: string;
  readonly mark?: Mark;
}

/** Processes by parent, in order of pid. Roots are pid 1 and whoever's parent is not in the picture. */
export function processTree(world: World, nowMs: number = world.atMs): readonly ProcessNode[] {
  const names = containerNames(world);
  const shown = world.processes.filter((entry) => isVisible(entry, entry.fact.container, nowMs));
  const alive = new Map(shown.filter((entry) => entry.goneAtMs === undefined).map((entry) => [entry.fact.pid, entry]));
  const children = new Map<string, WorldProcess[]>();
  const roots: WorldProcess[] = [];
  for (const entry of shown) {
    const parent = parentOf(entry, alive, shown);
    if (!parent) roots.push(entry);
    else children.set(parent.key, [...(children.get(parent.key) ?? []), entry]);
  }
  const seen = new Set<string>();
  const build = (entry: WorldProcess, depth: number): ProcessNode => {
    seen.add(entry.key);
    const below = (children.get(entry.key) ?? []).filter((child) => !seen.has(child.key));
    const name = entry.fact.container === undefined ? undefined : names.get(entry.fact.container);
    const mark = markOf(entry, nowMs);
    return {
      key: entry.key,
      fact: entry.fact,
      depth,
      children: below.map((child) => build(child, depth + 1)),
      ...(name !== undefined && { containerName: name }),
      ...(mark && { mark }),
    };
  };
  const tree = roots.map((entry) => build(entry, 0));
  // A forged picture can hold parents in a circle: they are shown as roots rather than lost.
  return [...tree, ...shown.filter((entry) => !seen.has(entry.key)).flatMap((entry) => (seen.has(entry.key) ? [] : [build(entry, 0)]))];
}

/** The tree as rows, parents before children. */
export function processRows(tree: readonly ProcessNode[]): readonly ProcessNode[] {
  return tree.flatMap((node) => [node, ...processRows(node.children)]);
}

function parentOf(entry: WorldProcess, alive: ReadonlyMap<number, WorldProcess>, shown: readonly WorldProcess[]): WorldProcess | undefined {
  const { pid, ppid } = entry.fact;
  if (ppid === 0 || ppid === pid) return undefined;
  return alive.get(ppid) ?? shown.find((other) => other.fact.pid === ppid && other !== entry);
}

export interface NamespaceSet {
  /** `net:4026532281`. */
  readonly key: string;
  readonly kind: NamespaceName;
  readonly inode: number;
  /** Whose it is: the machine's (its pid 1 is in it), one container's, or nobody's we know (an `unshare` in a shell). */
  readonly owner: 'machine' | 'container' | 'other';
  /** Containers with a process in it, in order of appearance. */
  readonly containers: readonly string[];
  /** True when it holds several containers, or containers and processes of none. */
  readonly shared: boolean;
  /** Keys of its living processes. */
  readonly members: readonly string[];
  readonly mark?: Mark;
}

const KINDS: readonly NamespaceName[] = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup', 'time'];

/** Every namespace that a living process is in: the machine's own first, then by kind and appearance. */
export function namespaceSets(world: World, nowMs: number = world.atMs): readonly NamespaceSet[] {
  const living = world.processes.filter((entry) => entry.goneAtMs === undefined);
  const machine = living.find((entry) => entry.fact.pid === 1)?.fact.namespaces ?? {};
  const sets = new Map<string, { kind: NamespaceName; inode: number; members: WorldProcess[] }>();
  for (const kind of KINDS) {
    for (const entry of living) {
      const inode = entry.fact.namespaces[kind];
      if (inode === undefined) continue;
      const key = `${kind}:${inode}`;
      const set = sets.get(key) ?? { kind, inode, members: [] };
      set.members.push(entry);
      sets.set(key, set);
    }
  }
  const all = [...sets.values()].map((set) => namespaceSet(set, machine[set.kind] === set.inode, nowMs));
  return [...all.filter((set) => set.owner === 'machine'), ...all.filter((set) => set.owner !== 'machine')];
}

function namespaceSet(
  set: { kind: NamespaceName; inode: number; members: readonly WorldProcess[] },
  own: boolean,
  nowMs: number,
): NamespaceSet {
  const containers = [...new Set(set.members.flatMap((entry) => entry.fact.container ?? []))];
  const outsiders = set.members.some((entry) => entry.fact.container === undefined);
  // The oldest member tells when the namespace came to be.
  const oldest = set.members.reduce((a, b) => (b.appearedAtMs < a.appearedAtMs ? b : a));
  const mark = own ? undefined : markOf(oldest, nowMs);
  return {
    key: `${set.kind}:${set.inode}`,
    kind: set.kind,
    inode: set.inode,
    owner: own ? 'machine' : containers.length > 0 ? 'container' : 'other',
    containers,
    shared: containers.length > 1 || (containers.length > 0 && outsiders),
    members: set.members.map((entry) => entry.key),
    ...(mark && { mark }),
  };
}

/** Container id → name. */
export function containerNames(world: World): ReadonlyMap<string, string> {
  return new Map(world.containers.map((entry) => [entry.fact.id, entry.fact.name]));
}
