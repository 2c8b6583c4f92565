import type { Operation, OperationBody } from '@slipway/launcher';
import type { SpecIdMapping } from '@slipway/oci';
import { expect, test } from 'vitest';
import { fakeHost, smallSpec } from '../testing/plan-fixtures.ts';
import { plan, planExec } from './plan.ts';

const NOBODY = { uid: 1000, gid: 1000, capabilities: [], procsFiles: [], cgroupDirs: {} };
const HELPERS = ['/usr/bin/newuidmap', '/usr/bin/newgidmap'] as const;
const OWN = [{ containerID: 0, hostID: 1000, size: 1 }];
const MANY = [...OWN, { containerID: 1, hostID: 200_000, size: 65_536 }];

const withMaps = (maps: readonly SpecIdMapping[]) =>
  smallSpec({ linux: { namespaces: [{ type: 'user' }, { type: 'mount' }, { type: 'pid' }], uidMappings: maps, gidMappings: maps } });
const first = (operations: readonly Operation[], count: number): OperationBody[] =>
  operations
    .filter(({ op }) => op !== 'openSource')
    .slice(0, count)
    .map(({ pointer: _pointer, reason: _reason, phase: _phase, ...body }) => body);

test('one’s own id is mapped by oneself, before anything is opened; the child is made inside', () => {
  const map = [{ containerId: 0, hostId: 1000, size: 1 }];

  expect(first(plan(withMaps(OWN), fakeHost(NOBODY)).operations, 4)).toEqual([
    { op: 'enterUserNamespace', uid: map, gid: map, denySetgroups: true },
    { op: 'openRoot', hostPath: '/bundle/rootfs' },
    { op: 'clone', namespaces: ['mount', 'pid'] },
    { op: 'becomeRoot' },
  ]);
});

test('others are for the helpers to map, or refused where there are none', () => {
  const helped = plan(withMaps(MANY), fakeHost({ ...NOBODY, idMapHelpers: HELPERS })).operations;

  expect(helped[0]).toMatchObject({ op: 'enterUserNamespace', denySetgroups: false, helpers: HELPERS });
  expect(() => plan(withMaps(MANY), fakeHost(NOBODY))).toThrow(
    expect.objectContaining({ code: 'E_RIGHT_WITHHELD', subject: '/linux/uidMappings', message: expect.stringContaining('newuidmap') }),
  );
});

test('without a user namespace there is no container', () => {
  expect(() => plan(smallSpec(), fakeHost(NOBODY))).toThrow(expect.objectContaining({ kind: 'unsupported', subject: '/linux/namespaces' }));
});

test('a further process: the launcher enters the user namespace, the child the others', () => {
  const namespaces = [
    { kind: 'user' as const, hostPath: '/proc/42/ns/user' },
    { kind: 'mount' as const, hostPath: '/proc/42/ns/mnt' },
  ];
  const container = { id: 'c1', bundle: '/bundle', pid: 42, namespaces, procsFiles: [] };
  const exec = (facts: typeof container) => planExec({ cwd: '/', args: ['x'] }, withMaps(OWN), fakeHost(NOBODY), facts);

  expect(first(exec(container).operations, 5)).toEqual([
    { op: 'enterUserNamespace', hostPath: '/proc/42/ns/user', uid: [], gid: [], denySetgroups: false },
    { op: 'openRoot', hostPath: '/proc/42/root' },
    { op: 'openNamespace', slot: 0, kind: 'mount', hostPath: '/proc/42/ns/mnt' },
    { op: 'clone', namespaces: [] },
    { op: 'joinNamespace', slot: 0, kind: 'mount' },
  ]);
  expect(() => exec({ ...container, namespaces: [] })).toThrow(expect.objectContaining({ kind: 'unsupported', hint: 'start it first' }));
});
