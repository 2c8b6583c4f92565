/** A launcher that was started before its plan: where its children are born, and that nothing of it stays. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostTest } from '@slipway/testing';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { PreparedLauncher } from './launcher.ts';
import { createLauncher } from './native-launcher.ts';
import { type Born, born as bornBy, TestGroups, until } from './testing/births.ts';
import { buildNative, isAlive, makeRig, type Rig, standardPlan, step } from './testing/rig.ts';

const launcher = createLauncher();
let groups: TestGroups;
let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
  groups = new TestGroups('slipway-prepared-test');
});
afterEach(() => groups.empty());
afterAll(() => {
  groups[Symbol.dispose]();
  rig[Symbol.dispose]();
});

async function preparedInGroups(): Promise<PreparedLauncher> {
  const prepared = launcher.prepare(groups.procsFiles);
  await until('cradle', () => prepared.standsInGroups);
  return prepared;
}

/** `cat /proc/self/cgroup`, born with `prepared`. */
async function born(prepared: PreparedLauncher): Promise<Born> {
  const plan = standardPlan({
    rootfs: rig.rootfs,
    args: ['cat', '/proc/self/cgroup'],
    identity: [step('identity', { op: 'joinCgroup', procsFiles: groups.procsFiles })],
    awaitStart: true,
  });
  return bornBy({ launcher, rig, groups, prepared, plan });
}

hostTest('the child is born in the groups, alone there, and is the shim’s', ['linux', 'root'], async () => {
  const usual = await born({ standsInGroups: false, isWaiting: false, discard: async () => undefined });
  const prepared = await preparedInGroups();
  const { pid, shimPid, parent, members, descriptors, stdout, exitCode, records } = await born(prepared);

  expect({ parent, members, exitCode, errors: records.filter(({ errno }) => errno !== 0) }).toEqual({
    parent: shimPid,
    members: groups.paths.map(() => [pid]),
    exitCode: 0,
    errors: [],
  });
  for (const path of groups.hierarchies) expect(stdout).toMatch(new RegExp(`:${path.split('/').at(-1)}:/`));
  expect(descriptors, 'as many as of a child that was made the usual way').toBe(usual.descriptors);
  expect(prepared.isWaiting).toBe(false);
});

hostTest('a cradle that was killed is missed by nobody: the child is moved there', ['linux', 'root'], async () => {
  const prepared = await preparedInGroups();
  process.kill(groups.members()[0]?.[0] ?? 0, 'SIGKILL');
  const { pid, members, exitCode } = await born(prepared);

  expect({ members, exitCode }).toEqual({ members: groups.paths.map(() => [pid]), exitCode: 0 });
});

hostTest('groups that are full let no child be born by the cradle, and take it when the cradle has left', ['linux', 'root'], async () => {
  const prepared = await preparedInGroups();
  const limit = `${groups.paths.find((group) => group.includes('/pids/'))}/pids.max`;
  writeFileSync(limit, '1');
  try {
    const { pid, members, exitCode } = await born(prepared);
    expect({ members, exitCode }).toEqual({ members: groups.paths.map(() => [pid]), exitCode: 0 });
  } finally {
    writeFileSync(limit, 'max');
  }
});

hostTest('one that is discarded leaves with its cradle, one that died is replaced at launch', ['linux', 'root'], async () => {
  const unused = await preparedInGroups();
  const members = groups.members()[0] ?? [];
  await unused.discard();
  expect(members).toHaveLength(1);
  await until('end of the cradle', () => !isAlive(members[0] ?? 0));

  expect((await born(unused)).exitCode).toBe(0);
});

hostTest('groups it may not join leave it without a cradle', ['linux', 'root'], async () => {
  const prepared = launcher.prepare(['/sys/fs/cgroup/no-such-group/cgroup.procs']);
  await sleep(50);
  expect([prepared.standsInGroups, prepared.isWaiting]).toEqual([false, true]);
  expect((await born(prepared)).exitCode).toBe(0);
});
