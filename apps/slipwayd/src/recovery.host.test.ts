import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { TestDaemon } from './testing/test-daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.dispose());

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const COUNT = 'i=0; while true; do echo $i; i=$((i+1)); sleep 0.02; done';
const state = async (...names: readonly string[]) =>
  (await daemon.docker('inspect', '-f', '{{.Name}} {{.State.Status}} {{.State.Pid}}', ...names)).stdout.trim().split('\n');

// @attack A31: twin
hostTest(
  'a daemon killed with −9: containers live on, a new one finds them, their logs and the exit codes of the ended [E01]',
  [...NEEDS],
  async () => {
    await daemon.docker('run', '-d', '--name', 'counts', 'busybox', 'sh', '-c', COUNT);
    await daemon.docker('run', '-d', '--name', 'sleeps', 'busybox', 'sleep', '1000');
    await daemon.docker('run', '-d', '--name', 'frozen', 'busybox', 'sleep', '1000');
    await daemon.docker('pause', 'frozen');
    await daemon.docker('run', '-d', '--name', 'ends', 'busybox', 'sh', '-c', 'sleep 1; exit 17');
    await daemon.docker('run', '-d', '--rm', '--name', 'goes', 'busybox', 'sleep', '1');
    const before = await state('counts', 'sleeps', 'frozen');
    await daemon.down('SIGKILL');
    await sleep(1500);
    await daemon.up();
    expect(await state('counts', 'sleeps', 'frozen')).toEqual(before);
    expect(await state('ends')).toEqual(['/ends exited 0']);
    expect((await daemon.docker('wait', 'ends')).stdout).toBe('17\n');
    expect((await daemon.docker('inspect', 'goes')).code).not.toBe(0);
    const numbers = (await daemon.docker('logs', 'counts')).stdout.trim().split('\n');
    expect(numbers.length).toBeGreaterThan(60);
    expect(numbers).toEqual(numbers.map((_line, index) => String(index)));
    expect((await daemon.docker('exec', 'sleeps', 'echo', 'alive')).stdout).toBe('alive\n');
    expect((await daemon.docker('stop', '-t', '0', 'sleeps')).code).toBe(0);
    expect((await daemon.docker('rm', '-f', 'counts', 'sleeps', 'frozen', 'ends')).code).toBe(0);
  },
);

hostTest('recovering twice gives the same, and SIGTERM leaves containers running [E03]', [...NEEDS], async () => {
  await daemon.docker('run', '-d', '--name', 'stays', 'busybox', 'sleep', '1000');
  const before = await state('stays');
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
    await daemon.down(signal);
    await daemon.up();
    expect(await state('stays')).toEqual(before);
  }
  await daemon.docker('rm', '-f', 'stays');
});

// @attack A31: attack
hostTest('a shim that is killed: the container lives on, and its exit code is unknown rather than invented', [...NEEDS], async () => {
  await daemon.docker('run', '-d', '--name', 'orphan', 'busybox', 'sleep', '1000');
  const isRunning = (fact: unknown) => (fact as { readonly shimPid?: number } | undefined)?.shimPid !== undefined;
  const findFact = () => daemon.readJournal().findLast(({ type }) => type === 'container')?.['container'];
  await expect.poll(() => isRunning(findFact())).toBe(true); // the journal is written a moment after the answer
  const fact = findFact() as { pid: number; shimPid: number };
  process.kill(fact.shimPid, 'SIGKILL');
  await sleep(300);
  expect((await state('orphan'))[0]).toBe(`/orphan running ${fact.pid}`);
  await daemon.docker('kill', 'orphan');
  await expect
    .poll(async () => (await daemon.docker('inspect', '-f', '{{.State.ExitCode}} {{.State.Error}}', 'orphan')).stdout, { timeout: 5000 })
    .toContain('255 its shim was killed');
  await daemon.docker('rm', 'orphan');
});

hostTest('what a cut-off creation left goes; a container whose record is torn stays for somebody to look at', [...NEEDS], async () => {
  await daemon.docker('create', '--name', 'whole', 'busybox', 'true');
  await daemon.down('SIGKILL');
  const [half, torn] = ['a', 'b'].map((digit) => `${daemon.base}/root/containers/${digit.repeat(64)}`);
  for (const path of [half, torn]) mkdirSync(`${path}/rootfs`, { recursive: true });
  writeFileSync(`${torn}/container.json`, '{"id":');
  await daemon.up();
  expect([half, torn].map((path) => existsSync(String(path)))).toEqual([false, true]);
  expect((await daemon.docker('start', '-a', 'whole')).code).toBe(0);
  await daemon.docker('rm', 'whole');
});

hostTest('the socket is for owner and group, a dead one is replaced and a living one is not [C01, E28]', [...NEEDS], async () => {
  expect(statSync(daemon.socket).mode & 0o777).toBe(0o660);
  const elsewhere = ['--root', `${daemon.base}/other`, '--state', `${daemon.base}/other-state`];
  expect(await daemon.second(...elsewhere)).toMatchObject({ code: 1, stderr: expect.stringContaining('is served by a running daemon') });
  expect(await daemon.second()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`is in use by the slipwayd with pid ${daemon.pid}`),
  });
  await daemon.down('SIGKILL');
  await daemon.up();
  expect((await daemon.docker('version')).code).toBe(0);
});
