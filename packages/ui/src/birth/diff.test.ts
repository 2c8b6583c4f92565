import type { ProcessView } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { compareProcesses, summarizeChange } from './diff.ts';

const mount = (id: number, mountPoint: string, options = 'rw') => ({
  id,
  parentId: 1,
  mountPoint,
  root: '/',
  fsType: 'tmpfs',
  source: 'tmpfs',
  options,
  propagation: '',
});

const PROCESS: ProcessView = {
  pid: 40,
  namespaces: [
    { kind: 'pid', inode: 1, own: false },
    { kind: 'uts', inode: 2, own: false },
  ],
  mounts: [mount(10, '/'), mount(11, '/b/rootfs'), mount(12, '/b/rootfs/proc')],
  mountsLeftOut: 0,
  rootEntries: ['etc/', 'work/'],
  uidMap: [],
  gidMap: [],
  uid: 0,
  gid: 0,
  groups: [],
  capabilities: { effective: ['CHOWN', 'SYS_ADMIN'], permitted: [], bounding: [], inheritable: [], ambient: [] },
  noNewPrivileges: false,
  seccomp: 'off',
  cgroups: [],
  cwd: '/b',
  hostname: 'lab',
  program: 'launcher',
  oomScoreAdj: 0,
  limits: [],
};

test('without a stop before nothing is marked', () => {
  const change = compareProcesses(undefined, PROCESS);
  expect(change.any).toBe(false);
  expect(change.mounts.map(({ mark }) => mark)).toEqual(['same', 'same', 'same']);
});

test('pivot_root: old mounts are gone, the others moved, the root directory is another', () => {
  const after = { ...PROCESS, mounts: [mount(11, '/'), mount(12, '/proc'), mount(13, '/dev')], rootEntries: ['etc/', 'bin/'], cwd: '/' };
  const change = compareProcesses(PROCESS, after);
  expect(change.mounts.map(({ mount: { id }, mark }) => [id, mark])).toEqual([
    [11, 'changed'],
    [12, 'changed'],
    [13, 'new'],
    [10, 'gone'],
  ]);
  expect([...change.rootAdded]).toEqual(['bin/']);
  expect(change.rootRemoved).toEqual(['work/']);
  expect([...change.facts]).toEqual(['cwd']);
  expect(change.any).toBe(true);
  expect(summarizeChange(change)).toEqual(['mount table: 1 new, 1 gone, 2 changed', 'root directory', 'working directory']);
});

test('namespaces, rights and single facts are told apart', () => {
  const change = compareProcesses(PROCESS, {
    ...PROCESS,
    namespaces: [
      { kind: 'pid', inode: 7, own: true },
      { kind: 'uts', inode: 2, own: false },
    ],
    capabilities: { ...PROCESS.capabilities, effective: ['CHOWN', 'KILL'], bounding: ['KILL'] },
    hostname: 'web',
  });
  expect([...change.namespaces]).toEqual(['pid']);
  expect(change.capabilitiesLost).toEqual(['SYS_ADMIN']);
  expect(change.capabilitiesGained).toEqual(['KILL']);
  expect([...change.facts]).toEqual(['hostname', 'bounding']);
});
