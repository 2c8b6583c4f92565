/**
 * What the namespace explorer draws: the eight kinds of one process, and the matrix of many.
 *
 * Knows: sets of namespaces (journal's namespaceSets), which process stands for a container. Pure.
 * Does not know: pixels.
 */
import type { NamespaceName, NamespaceSet, ProcessNode, World, WorldProcess } from '@slipway/journal';
import { NAMESPACE_KINDS, type NamespaceKind } from '../base/kinds.ts';
import type { Selection } from '../base/selection.ts';

/** A process that the explorer looks at: a container's init or any other. */
export interface Subject {
  readonly key: string;
  readonly label: string;
  readonly process: WorldProcess;
  readonly container?: string;
}

export interface KindRow {
  readonly kind: NamespaceKind;
  /** The subject's; absent: the kernel or the sampler did not say. */
  readonly own?: NamespaceSet;
  /** The machine's. */
  readonly machine?: NamespaceSet;
  /** Whether both are one and the same. */
  readonly shared: boolean;
}

/** One column of subjects a container, and one each for processes outside of containers with namespaces of their own. */
export function subjectsOf(world: World): readonly Subject[] {
  const living = world.processes.filter((entry) => entry.goneAtMs === undefined);
  const machine = living.find((entry) => entry.fact.pid === 1);
  const names = new Map(world.containers.map((entry) => [entry.fact.id, entry.fact.name]));
  const subjects: Subject[] = [];
  const taken = new Set<string>();
  for (const process of living) {
    const { container, role } = process.fact;
    if (container !== undefined && role !== 'shim' && role !== 'engine') {
      if (taken.has(container)) continue;
      taken.add(container);
      subjects.push({ key: container, label: names.get(container) ?? container, process, container });
    } else if (container === undefined && machine && differs(process, machine) && !taken.has(signature(process))) {
      taken.add(signature(process));
      subjects.push({ key: process.key, label: processLabel(process), process });
    }
  }
  return subjects;
}

/** Whom a selection means here: the process itself, or a container's first process. */
export function subjectOf(world: World, selection: Selection | undefined, container: string | undefined): Subject | undefined {
  if (selection?.kind === 'process') {
    const process = world.processes.find((entry) => entry.key === `${selection.pid}:${selection.startTime}`);
    if (process) return { key: process.key, label: labelOf(process, world), process };
  }
  return container === undefined ? undefined : subjectsOf(world).find((subject) => subject.container === container);
}

function labelOf({ fact }: WorldProcess, world: World): string {
  const name = world.containers.find((entry) => entry.fact.id === fact.container)?.fact.name;
  const process = processLabel({ fact });
  return name === undefined || fact.role === 'shim' ? process : `${name}: ${process}`;
}

/** By what it is to the lab, where that says more than the name of a thread. */
function processLabel({ fact }: Pick<WorldProcess, 'fact'>): string {
  return `${fact.role === 'workbench' ? fact.role : fact.comm} ${fact.pid}`;
}

export function kindRows(subject: Subject, world: World, sets: readonly NamespaceSet[]): readonly KindRow[] {
  const machine = world.processes.find((entry) => entry.fact.pid === 1 && entry.goneAtMs === undefined)?.fact.namespaces ?? {};
  const find = (name: NamespaceName, inode: number | undefined) => sets.find((set) => set.kind === name && set.inode === inode);
  return NAMESPACE_KINDS.map((kind) => {
    const inode = subject.process.fact.namespaces[kind.name];
    const own = find(kind.name, inode);
    const host = find(kind.name, machine[kind.name]);
    return {
      kind,
      shared: inode !== undefined && inode === machine[kind.name],
      ...(own ? { own } : {}),
      ...(host ? { machine: host } : {}),
    };
  });
}

/** Processes by key, for naming a set's members. */
export function processesByKey(nodes: readonly ProcessNode[]): ReadonlyMap<string, ProcessNode> {
  return new Map(nodes.map((node) => [node.key, node]));
}

function differs(process: WorldProcess, machine: WorldProcess): boolean {
  return NAMESPACE_KINDS.some(({ name }) => {
    const inode = process.fact.namespaces[name];
    return inode !== undefined && machine.fact.namespaces[name] !== undefined && inode !== machine.fact.namespaces[name];
  });
}

function signature(process: WorldProcess): string {
  return NAMESPACE_KINDS.map(({ name }) => process.fact.namespaces[name] ?? '').join('/');
}
