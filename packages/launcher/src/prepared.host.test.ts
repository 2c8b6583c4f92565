/** A launcher that was started before its plan: where its children are born, and that nothing of it stays. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostTest } from '@slipway/testing';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { PreparedLauncher } from './launcher.ts';
import { createLauncher } from './native-launcher.ts';
import type { OperationRecord, Plan } from './operations.ts';
import { attachShim } from './shim-client.ts';
import { buildNative, isAlive, makeRig, openStart, type Rig, shimOptions, standardPlan, step } from './testing/rig.ts';

const HIERARCHIES = ['pids', 'freezer'].map((name) => `/sys/fs/cgroup/${name}`).filter((path) => existsSync(`${path}/cgroup.procs`));
const NAME = `slipway-prepared-test-${process.pid}`;
const GROUPS = HIERARCHIES.map((path) => `${path}/${NAME}`);
const PROCS = GROUPS.map((group) => `${group}/cgroup.procs`);

const launcher = createLauncher();
let rig: Rig;

beforeAll(() => {
  buildNative();
  rig = makeRig();
  for (const group of GROUPS) mkdirSync(group);
});
afterEach(async () => {
  for (const group of GROUPS) await until('an empty group', () => membersOf(group).length === 0);
});
afterAll(() => {
  for (const group of GROUPS) rmdirSync(group);
  rig[Symbol.dispose]();
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let left = 2000; !holds(); left--) {
    if (left === 0) throw new Error(`no ${what}`);
    await sleep(5);
  }
}

function membersOf(group: string): number[] {
  return readFileSync(`${group}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
}

async function preparedInGroups(): Promise<PreparedLauncher> {
  const prepared = launcher.prepare(PROCS);
  await until('cradle', () => prepared.standsInGroups);
  return prepared;
}

/** `cat /proc/self/cgroup`, born with `prepared`; also who is in the groups while it waits for its start. */
async function born(prepared: PreparedLauncher, beforeLaunch: () => void = () => undefined) {
  const dir = rig.shimDir();
  const startFifo = rig.fifo();
  const records: OperationRecord[] = [];
  const plan: Plan = standardPlan({
    rootfs: rig.rootfs,
    args: ['cat', '/proc/self/cgroup'],
    identity: [step('identity', { op: 'joinCgroup', procsFiles: PROCS })],
    awaitStart: true,
  });
  beforeLaunch();
  const launched = await launcher.launch(plan, {
    ...shimOptions(dir),
    startFifo,
    prepared,
    bornInGroups: prepared.standsInGroups,
    onRecord: (record) => records.push(record),
  });
  // Told that it waits, one may look before it has closed the last of what it needed to say so.
  await until('the child at its fifo', () => /^State:\s+S/m.test(readFileSync(`/proc/${launched.pid}/status`, 'utf8')));
  const members = GROUPS.map(membersOf);
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${launched.pid}/status`, 'utf8'))?.[1]);
  const descriptors = readdirSync(`/proc/${launched.pid}/fd`).length;
  const connection = await attachShim(dir);
  let stdout = '';
  connection.onOutput((_stream, bytes) => {
    stdout += Buffer.from(bytes).toString();
  });
  openStart(startFifo);
  const { exitCode } = await connection.exit;
  await until('end of the shim', () => !isAlive(launched.shimPid ?? 0));
  return { ...launched, members, parent, descriptors, stdout, exitCode, records };
}

hostTest('the child is born in the groups, alone there, and is the shim’s', ['linux', 'root'], async () => {
  const usual = await born({ standsInGroups: false, isWaiting: false, discard: async () => undefined });
  const prepared = await preparedInGroups();
  const { pid, shimPid, parent, members, descriptors, stdout, exitCode, records } = await born(prepared);

  expect({ parent, members, exitCode, errors: records.filter(({ errno }) => errno !== 0) }).toEqual({
    parent: shimPid,
    members: GROUPS.map(() => [pid]),
    exitCode: 0,
    errors: [],
  });
  for (const path of HIERARCHIES) expect(stdout).toMatch(new RegExp(`:${path.split('/').at(-1)}:/`));
  expect(descriptors, 'as many as of a child that was made the usual way').toBe(usual.descriptors);
  expect(prepared.isWaiting).toBe(false);
});

hostTest('a cradle that was killed is missed by nobody: the child is moved there', ['linux', 'root'], async () => {
  const prepared = await preparedInGroups();
  const [cradle] = membersOf(GROUPS[0] ?? '');
  const { pid, members, exitCode } = await born(prepared, () => process.kill(cradle ?? 0, 'SIGKILL'));

  expect({ members, exitCode }).toEqual({ members: GROUPS.map(() => [pid]), exitCode: 0 });
});

hostTest('groups that are full let no child be born by the cradle, and take it when the cradle has left', ['linux', 'root'], async () => {
  const prepared = await preparedInGroups();
  const limit = `${GROUPS.find((group) => group.includes('/pids/'))}/pids.max`;
  writeFileSync(limit, '1');
  try {
    const { pid, members, exitCode } = await born(prepared);
    expect({ members, exitCode }).toEqual({ members: GROUPS.map(() => [pid]), exitCode: 0 });
  } finally {
    writeFileSync(limit, 'max');
  }
});

hostTest('one that is discarded leaves with its cradle, one that died is replaced at launch', ['linux', 'root'], async () => {
  const unused = await preparedInGroups();
  const members = membersOf(GROUPS[0] ?? '');
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
