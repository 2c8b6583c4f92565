/**
 * Where each process stands in the picture: rows of a tree, and the enclosures of containers around them.
 *
 * Knows: the tree (view-processes of the journal), folding, filtering. Pure.
 * Does not know: pixels beyond rows and columns; motion is the picture's.
 *
 *     0  init                        rows are numbered from the top, depth is the indent
 *     1  ├─ slipwayd
 *     2  └─ shim
 *     3     └─┌ web ────────────┐    enclosure {from: 3, to: 4, depth: 2}
 *     4       │  sleep  └─ sh   │
 */
import { type NamespaceName, type ProcessNode, processRows } from '@slipway/journal';

/** Above this many processes, containers are folded until opened. */
export const CROWDED_ROWS = 60;

export interface ProcessRow {
  readonly key: string;
  readonly node: ProcessNode;
  readonly depth: number;
  /** Row of the parent, for the connecting line; absent for roots. */
  readonly parent?: number;
  /** Whether it has children, shown or not. */
  readonly foldable: boolean;
  readonly folded: boolean;
  /** Processes hidden below it. */
  readonly hidden: number;
  /** Kinds of namespaces that are not the machine's. */
  readonly own: ReadonlySet<NamespaceName>;
}

export interface Enclosure {
  readonly container: string;
  readonly name: string;
  /** First and last row inside. */
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  /** Kinds of namespaces that everything inside has for itself. */
  readonly own: ReadonlySet<NamespaceName>;
}

export interface ProcessLayout {
  readonly rows: readonly ProcessRow[];
  readonly enclosures: readonly Enclosure[];
  readonly total: number;
}

export interface LayoutOptions {
  /** Learner's choices: key → folded. */
  readonly folds: ReadonlyMap<string, boolean>;
  readonly filter: string;
}

export function layoutProcesses(tree: readonly ProcessNode[], options: LayoutOptions): ProcessLayout {
  const all = processRows(tree);
  const machine = all.find((node) => node.fact.pid === 1)?.fact.namespaces ?? {};
  const crowded = all.length > CROWDED_ROWS;
  const wanted = options.filter.trim().toLowerCase();
  const rows: ProcessRow[] = [];
  const visit = (node: ProcessNode, depth: number, parent: number | undefined): void => {
    if (wanted !== '' && !matchesBelow(node, wanted)) return;
    const folded = wanted === '' && (options.folds.get(node.key) ?? (crowded && isDoor(node)));
    const row = rows.length;
    rows.push({
      key: node.key,
      node,
      depth,
      ...(parent === undefined ? {} : { parent }),
      foldable: node.children.length > 0,
      folded,
      hidden: folded ? processRows(node.children).length : 0,
      own: ownNamespaces(node.fact.namespaces, machine),
    });
    if (!folded) for (const child of node.children) visit(child, depth + 1, row);
  };
  for (const root of tree) visit(root, 0, undefined);
  return { rows, enclosures: enclosuresOf(rows), total: all.length };
}

/** Kinds in which a process differs from the machine's first process. */
export function ownNamespaces(
  namespaces: Readonly<Partial<Record<NamespaceName, number>>>,
  machine: Readonly<Partial<Record<NamespaceName, number>>>,
): ReadonlySet<NamespaceName> {
  const names = Object.keys(namespaces) as NamespaceName[];
  return new Set(names.filter((name) => machine[name] !== undefined && namespaces[name] !== machine[name]));
}

/** The process through which one enters a container's part of the tree: its shim, or its init where there is none. */
function isDoor(node: ProcessNode): boolean {
  return node.fact.role === 'shim' || (node.fact.role === 'init' && node.fact.container !== undefined);
}

/** Inside the container: everything that belongs to it except for the shim, which stands at its door. */
function insideOf(node: ProcessNode): string | undefined {
  return node.fact.role === 'shim' || node.fact.role === 'engine' ? undefined : node.fact.container;
}

function enclosuresOf(rows: readonly ProcessRow[]): Enclosure[] {
  const enclosures: Array<{ container: string; name: string; from: number; to: number; depth: number; own: ReadonlySet<NamespaceName> }> =
    [];
  rows.forEach((row, index) => {
    const container = insideOf(row.node);
    if (container === undefined) return;
    const last = enclosures.at(-1);
    if (last && last.container === container && last.to === index - 1) {
      last.to = index;
      last.depth = Math.min(last.depth, row.depth);
      last.own = new Set([...last.own].filter((name) => row.own.has(name)));
      return;
    }
    enclosures.push({ container, name: row.node.containerName ?? container, from: index, to: index, depth: row.depth, own: row.own });
  });
  return enclosures;
}

function matchesBelow(node: ProcessNode, wanted: string): boolean {
  const { fact, containerName = '' } = node;
  const words = [String(fact.pid), fact.comm, ...fact.argv, containerName, fact.role ?? '', fact.container ?? ''];
  return words.some((word) => word.toLowerCase().includes(wanted)) || node.children.some((child) => matchesBelow(child, wanted));
}
