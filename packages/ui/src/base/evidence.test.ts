import { emptyWorld, reduceAll } from '@slipway/journal';
import { containerId, scenario } from '@slipway/journal/testing';
import { expect, test } from 'vitest';
import { containerOf, evidenceFor } from './evidence.ts';

const world = reduceAll(emptyWorld(), scenario({ containers: 2 }));
const id = containerId(0);
const init = world.processes.find((entry) => entry.fact.container === id && entry.fact.role === 'init');
if (!init) throw new Error('the scenario has an init');
const { pid, startTime, namespaces } = init.fact;

test('a process is proven by /proc and can be looked at in the terminal', () => {
  const evidence = evidenceFor(world, { kind: 'process', pid, startTime });
  expect(evidence?.lines).toContainEqual({ where: `/proc/${pid}/ns/pid`, line: `pid:[${namespaces.pid}]` });
  expect(evidence?.commands).toContain(`ls -l /proc/${pid}/ns`);
});

test('whatever of a container is selected, the container is', () => {
  const span = world.traces[0]?.spans.at(-1)?.id ?? '';
  const inode = namespaces.pid ?? 0;
  expect(containerOf(world, { kind: 'process', pid, startTime })).toBe(id);
  expect(containerOf(world, { kind: 'namespace', name: 'pid', inode })).toBe(id);
  expect(containerOf(world, { kind: 'span', id: span })).toBe(id);
  expect(containerOf(world, { kind: 'file', container: id, path: '/x' })).toBe(id);
  expect(containerOf(world, undefined)).toBeUndefined();
});

test('a namespace of the machine belongs to no container', () => {
  const machine = world.processes.find((entry) => entry.fact.pid === 1);
  expect(containerOf(world, { kind: 'namespace', name: 'user', inode: machine?.fact.namespaces.user ?? 0 })).toBeUndefined();
});

test('an operation is proven by its field, its reason and its errno', () => {
  const span = world.traces[0]?.spans.find((candidate) => candidate.operation);
  const evidence = evidenceFor(world, { kind: 'span', id: span?.id ?? '' });
  expect(evidence?.facts.map(([label]) => label)).toEqual(expect.arrayContaining(['phase', 'field', 'why', 'errno']));
  expect(evidence?.payloads[0]?.title).toBe('arguments');
});

test('what is not in this world has no evidence', () => {
  expect(evidenceFor(world, { kind: 'container', id: 'nobody' })).toBeUndefined();
});
