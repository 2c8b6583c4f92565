import type { CgroupSample, JournalEvent, ProcessFact } from '@slipway/journal/types';
import { expect, test } from 'vitest';
import { groupsNow, groupsSeen, isHandMade } from './cgroup-facts.ts';
import { apartIn, apartInWords, ownProcesses } from './process-facts.ts';
import type { CheckView } from './types.ts';

const MACHINE = { uts: 1, net: 2, pid: 3 };
const process = (pid: number, more: Partial<ProcessFact> = {}): ProcessFact => ({
  pid,
  ppid: 1,
  startTime: '1',
  comm: 'sleep',
  argv: [],
  uid: 0,
  namespaces: MACHINE,
  ...more,
});
const cgroups = (seq: number, ...samples: readonly Omit<CgroupSample, 'version'>[]): JournalEvent => ({
  type: 'cgroups',
  samples: samples.map((sample) => ({ ...sample, version: 'v1' })),
  seq,
  atMs: seq,
  origin: 'host',
});
const view = (more: Partial<CheckView>): CheckView => ({
  containers: [],
  everSeen: [],
  processes: [],
  layers: [],
  events: [],
  earlier: [],
  machineNamespaces: MACHINE,
  ...more,
});

test('a learner’s own processes: not the machine’s first, the engine’s, those of its containers, or ended ones', () => {
  const processes = [
    process(1),
    process(2, { role: 'engine' }),
    process(3, { role: 'shim' }),
    process(4, { comm: 'slipway-launch' }),
    process(5, { container: 'ab'.repeat(32) }),
    process(6, { state: 'Z' }),
    process(7, { state: 'S' }),
    process(8, { container: 'by-hand' }),
  ];
  expect(ownProcesses(view({ processes })).map(({ pid }) => pid)).toEqual([7, 8]);
});

test('what a process has for itself, in words', () => {
  const kinds = (namespaces: ProcessFact['namespaces']) => apartIn(view({}), process(9, { namespaces }));
  expect(kinds(MACHINE)).toEqual([]);
  // Kinds whose number the machine's first process does not tell are not compared.
  expect(kinds({ ...MACHINE, net: 9, time: 5 })).toEqual(['net']);
  expect(['', 'net', 'net uts', 'net uts pid'].map((text) => apartInWords(text.split(' ').filter(Boolean) as 'net'[]))).toEqual([
    'no namespace of its own',
    'its own net namespace',
    'its own net and uts namespaces',
    'its own net, uts and pid namespaces',
  ]);
});

test('groups: those there are, those there were with their last values, and which were made by hand', () => {
  const events = [cgroups(1, { path: '/' }, { path: '/small', oomKills: 1 }), cgroups(2, { path: '/' }, { path: '/box' })];
  expect(groupsNow(view({ events })).map(({ path }) => path)).toEqual(['/', '/box']);
  expect(groupsSeen(view({ events })).map(({ path, oomKills }) => [path, oomKills])).toEqual([
    ['/', undefined],
    ['/small', 1],
    ['/box', undefined],
  ]);
  const byHand = ['/', '/slipway', '/slipway/x', '/init', '/slipway-like', '/a/b'].filter((path) => isHandMade({ path, version: 'v1' }));
  expect(byHand).toEqual(['/slipway-like', '/a/b']);
  expect(isHandMade({ path: '/docker/x', version: 'v1', container: 'x' })).toBe(false);
});
