import type { ProcessNode } from '@slipway/journal';
import { expect, test } from 'vitest';
import { CROWDED_ROWS, layoutProcesses, ownNamespaces } from './layout.ts';

type Part = Partial<ProcessNode['fact']> & { readonly children?: readonly ProcessNode[]; readonly containerName?: string };

function node(pid: number, { children = [], containerName, ...fact }: Part = {}): ProcessNode {
  return {
    key: `${pid}:0`,
    depth: 0,
    children,
    ...(containerName === undefined ? {} : { containerName }),
    fact: { pid, ppid: 0, startTime: '0', comm: `p${pid}`, argv: [], uid: 0, namespaces: { net: 1, pid: 1, uts: 1 }, ...fact },
  };
}

const inside = { container: 'c1', containerName: 'web', namespaces: { net: 1, pid: 2, uts: 3 } };
const TREE = [
  node(1, {
    children: [
      node(10, { role: 'engine' }),
      node(20, {
        role: 'shim',
        container: 'c1',
        children: [node(21, { ...inside, role: 'init', children: [node(22, { ...inside })] }), node(30, { ...inside, role: 'exec' })],
      }),
    ],
  }),
];
const plain = { folds: new Map<string, boolean>(), filter: '' };

test('parents stand above their children, and lines know where to go', () => {
  const { rows } = layoutProcesses(TREE, plain);
  expect(rows.map((row) => [row.node.fact.pid, row.depth, row.parent])).toEqual([
    [1, 0, undefined],
    [10, 1, 0],
    [20, 1, 0],
    [21, 2, 2],
    [22, 3, 3],
    [30, 2, 2],
  ]);
});

test('a container encloses its processes; the shim stands outside', () => {
  const { enclosures } = layoutProcesses(TREE, plain);
  expect(enclosures).toEqual([{ container: 'c1', name: 'web', from: 3, to: 5, depth: 2, own: new Set(['pid', 'uts']) }]);
});

test('a folded process hides what is below and counts it', () => {
  const { rows } = layoutProcesses(TREE, { ...plain, folds: new Map([['20:0', true]]) });
  expect(rows.at(-1)).toMatchObject({ key: '20:0', folded: true, hidden: 3 });
});

test('the filter keeps matches and the way to them', () => {
  const { rows } = layoutProcesses(TREE, { ...plain, filter: 'P22' });
  expect(rows.map((row) => row.node.fact.pid)).toEqual([1, 20, 21, 22]);
});

test('a crowd is folded at the doors of containers, and one can be opened', () => {
  const shims = Array.from({ length: CROWDED_ROWS }, (_, index) =>
    node(100 + index * 2, {
      role: 'shim',
      container: `c${index}`,
      children: [node(101 + index * 2, { container: `c${index}`, role: 'init' })],
    }),
  );
  const crowd = [node(1, { children: shims })];
  expect(layoutProcesses(crowd, plain).rows).toHaveLength(CROWDED_ROWS + 1);
  expect(layoutProcesses(crowd, { ...plain, folds: new Map([['100:0', false]]) }).rows).toHaveLength(CROWDED_ROWS + 2);
});

test('a kind the machine was not asked about is nobody’s own', () => {
  expect(ownNamespaces({ net: 5, time: 9 }, { net: 4 })).toEqual(new Set(['net']));
});
