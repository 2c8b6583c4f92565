/** What goes wrong around containers while they end, stop and are removed, and leaves them usable. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { TestDaemon } from './testing/test-daemon.ts';

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
/** Elsewhere than what can be full: by default, too, one is on a disk and the other in memory. */
const state = mkdtempSync(join(tmpdir(), 'adversity-'));
afterAll(async () => {
  await daemon.dispose();
  rmSync(state, { recursive: true });
});

const NEEDS = ['root', 'linux', 'overlayfs'] as const;
const status = async (name: string) => (await daemon.docker('inspect', '-f', '{{.State.Status}}', name)).stdout.trim();

hostTest('a container that goes with its process is restarted nevertheless, and goes once it is stopped', [...NEEDS], async () => {
  await daemon.docker('run', '-d', '--rm', '--name', 'again', 'busybox', 'sleep', '1000');
  expect(await daemon.docker('restart', '-t', '0', 'again')).toMatchObject({ code: 0, stderr: '' });
  expect(await status('again')).toBe('running');
  await daemon.docker('stop', '-t', '0', 'again');
  await expect.poll(async () => (await daemon.docker('inspect', 'again')).code, { timeout: 10_000 }).toBe(1);
});

hostTest('a stop that may take longer than a timer can count waits, instead of killing at once', [...NEEDS], async () => {
  const script = 'trap "sleep 1; exit 3" TERM; echo ready; while :; do sleep 0.1; done';
  await daemon.docker('run', '-d', '--name', 'slow', 'busybox', 'sh', '-c', script);
  await expect.poll(async () => (await daemon.docker('logs', 'slow')).stdout, { timeout: 10_000 }).toBe('ready\n');
  await daemon.docker('stop', '-t', '3000000', 'slow');
  expect((await daemon.docker('inspect', '-f', '{{.State.ExitCode}}', 'slow')).stdout).toBe('3\n');
  await daemon.docker('rm', 'slow');
});

hostTest('a removal that failed half-way can be asked for again', [...NEEDS], async () => {
  await daemon.docker('create', '--name', 'stuck', 'busybox', 'true');
  const upper = (await daemon.docker('inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'stuck')).stdout.trim();
  const busy = `${upper}/busy`;
  mkdirSync(busy);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', busy]);
  expect((await daemon.docker('rm', 'stuck')).code).toBe(1);
  expect(await status('stuck')).toBe('dead');
  execFileSync('umount', [busy]);
  expect(await daemon.docker('rm', 'stuck')).toMatchObject({ code: 0, stderr: '' });
});

hostTest('an image with several names is not forced away by its id while a container runs on it', [...NEEDS], async () => {
  await daemon.docker('tag', 'busybox', 'second:name');
  await daemon.docker('run', '-d', '--name', 'user', 'busybox', 'sleep', '1000');
  const id = (await daemon.docker('inspect', '-f', '{{.Image}}', 'user')).stdout.trim();
  expect(await daemon.docker('rmi', '-f', id)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is being used by running container'),
  });
  // The twin: one of its names may go.
  expect((await daemon.docker('rmi', 'second:name')).code).toBe(0);
  await daemon.docker('rm', '-f', 'user');
});

hostTest('on a full disk containers start, are followed, end, are waited for, stopped and removed', [...NEEDS], async () => {
  await daemon.down('SIGTERM');
  await daemon.up('--state', state);
  const names = ['killed', 'stopped', 'ends'] as const;
  for (const name of ['killed', 'stopped']) await daemon.docker('run', '-d', '--name', name, 'busybox', 'sleep', '1000');
  const signal = join(daemon.base, 'signal');
  mkdirSync(signal);
  const script = 'until [ -e /signal/go ]; do sleep 0.1; done; exit 5';
  await daemon.docker('run', '-d', '-v', `${signal}:/signal`, '--name', 'ends', 'busybox', 'sh', '-c', script);
  await daemon.docker('create', '--name', 'late', 'busybox', 'sleep', '1000');
  await daemon.docker('create', '--rm', '--name', 'fails', 'busybox', 'no-such-program');
  const waiting = daemon.docker('wait', ...names);
  const filler = `${daemon.base}/filler`;
  expect(() => writeFileSync(filler, Buffer.alloc(300 << 20))).toThrow('ENOSPC');
  try {
    writeFileSync(`${signal}/go`, '');
    expect(await daemon.docker('kill', 'killed')).toMatchObject({ code: 0, stderr: '' });
    expect(await daemon.docker('stop', '-t', '0', 'stopped')).toMatchObject({ code: 0, stderr: '' });
    expect((await waiting).stdout).toBe('137\n137\n5\n');
    expect(await daemon.docker('create', '--name', 'new', 'busybox', 'true')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no space left'),
    });
    expect(await daemon.docker('start', 'fails')).toMatchObject({ code: 1, stderr: expect.stringContaining('executable file not found') });
    expect(await daemon.docker('start', 'late')).toMatchObject({ code: 0, stderr: '' });
    expect(await status('late')).toBe('running');
    // Its record still says `created`: the next daemon must ask the runtime.
    await daemon.down('SIGKILL');
    await daemon.up('--state', state);
    const end = daemon.docker('wait', 'late');
    expect(await daemon.docker('stop', '-t', '0', 'late')).toMatchObject({ code: 0, stderr: '' });
    expect((await end).stdout).toBe('137\n');
    expect(await daemon.docker('rm', 'late', ...names)).toMatchObject({ code: 0, stderr: '' });
    expect((await daemon.docker('ps', '-aq')).stdout).toBe('');
  } finally {
    rmSync(filler);
  }
});
