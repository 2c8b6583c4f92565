/**
 * Images and neighbours that try to lead the launcher out of the root directory. Each refusal has a legal twin that works.
 * Where Debian's runc is installed, the two control attacks are tried on it too: a test that never failed proves nothing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { hostTest } from '@slipway/testing';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { createLauncher } from './native-launcher.ts';
import type { Operation } from './operations.ts';
import { readExit } from './shim-client.ts';
import { buildNative, makeRig, ours, type PlanParts, type Rig, runToEnd, shimOptions, standardPlan, step } from './testing/rig.ts';

const launcher = createLauncher();
let binary: string;
let rig: Rig;
let outside: string;

beforeAll(() => {
  binary = buildNative();
  rig = makeRig();
  outside = join(rig.dir, 'outside');
});
afterAll(() => rig[Symbol.dispose]());
beforeEach(() => {
  rmSync(outside, { recursive: true, force: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'ptmx'), 'precious');
  for (const name of ['dev', 'proc', 'sys', 'mnt']) {
    rmSync(join(rig.rootfs, name), { recursive: true, force: true });
    mkdirSync(join(rig.rootfs, name));
  }
});

type Parts = Omit<PlanParts, 'rootfs' | 'args'>;
const refused = (parts: Parts, args = ['true']) =>
  launcher.launch(standardPlan({ ...parts, rootfs: rig.rootfs, args }), shimOptions(rig.shimDir())).then(
    () => undefined,
    (error: unknown) => error,
  );
const outsideNow = () =>
  readdirSync(outside, { withFileTypes: true }).map((each) => [
    each.name,
    each.isFile() ? readFileSync(join(outside, each.name), 'utf8') : 'directory',
  ]);
const replace = (path: string, target: string) => {
  rmSync(join(rig.rootfs, path), { recursive: true, force: true });
  symlinkSync(target, join(rig.rootfs, path));
};

/** Debian's runc on the same root; undefined when there is none. */
function runcOn(mounts: readonly object[], linux: object, args: readonly string[]): { stdout: string } | undefined {
  if (!existsSync('/usr/sbin/runc')) return undefined;
  const bundle = join(rig.dir, 'bundle');
  mkdirSync(bundle, { recursive: true });
  const namespaces = ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type }));
  const process = { args, env: ['PATH=/bin'], cwd: '/', user: { uid: 0, gid: 0 } };
  const spec = { ociVersion: '1.0.2', root: { path: rig.rootfs }, process, mounts, linux: { namespaces, ...linux } };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec));
  try {
    return {
      stdout: execFileSync('/usr/sbin/runc', ['--root', join(rig.dir, 'runc'), 'run', '-b', bundle, 'control'], {
        encoding: 'utf8',
        stdio: 'pipe',
      }),
    };
  } catch {
    return { stdout: '' };
  }
}

const PROC = { destination: '/proc', type: 'proc', source: 'proc' };

// @attack A09: attack, control, twin
hostTest('control attack 1: an image whose /dev is a link writes nothing outside', ['linux', 'root'], async () => {
  replace('dev', outside);
  const before = outsideNow();
  expect(await refused({ imageDev: true })).toMatchObject({ code: 'E_LAUNCH_LINK' });
  expect(outsideNow()).toEqual(before);
  if (runcOn([PROC], {}, ['true']) !== undefined) expect(readdirSync(outside).toSorted()).toContain('stdin');

  rmSync(join(rig.rootfs, 'dev'));
  mkdirSync(join(rig.rootfs, 'dev'));
  expect(await refused({ imageDev: true })).toBeUndefined();
});

// @attack A06: attack, control
hostTest('control attack 2: a mask never shows what the image put at /dev/null', ['linux', 'root'], async () => {
  writeFileSync(join(rig.rootfs, 'testfile'), 'masked\n');
  writeFileSync(join(rig.rootfs, 'secret'), 'secret\n');
  const mask = [step('root', { op: 'mask', path: '/testfile' })];
  replace('dev/null', '/secret');
  expect(await refused({ imageDev: true, mounts: mask })).toMatchObject({ cause: { op: 'device' } });

  const device = (each: Operation) => each.op === 'device' || each.op === 'symlink';
  const plan = standardPlan({
    rootfs: rig.rootfs,
    args: ['sh', '-c', 'cat /testfile; echo x > /testfile; cat /secret'],
    imageDev: true,
    mounts: mask,
  });
  const dir = rig.shimDir();
  await launcher.launch({ operations: plan.operations.filter((each) => !device(each)) }, shimOptions(dir, { logPath: join(dir, 'log') }));
  await expect.poll(() => readExit(dir)).toBeDefined();
  expect(readFileSync(join(dir, 'log'), 'utf8')).toMatch(/^\S+ stdout F secret\n$/);
  expect(readFileSync(join(rig.rootfs, 'secret'), 'utf8')).toBe('secret\n');
  const control = runcOn([PROC], { maskedPaths: ['/testfile'] }, ['sh', '-c', 'echo overwritten > /testfile']);
  if (control !== undefined) expect(readFileSync(join(rig.rootfs, 'secret'), 'utf8')).toBe('overwritten\n');
});

// @attack A04: attack, control, twin
hostTest('kernel file systems are not mounted through links; others follow them inside the root', ['linux', 'root'], async () => {
  replace('proc', outside);
  // Known-bad control: mount(8) goes by names, and lands outside.
  const byName = `mount -t tmpfs attack ${rig.rootfs}/proc && cut -d' ' -f5 /proc/self/mountinfo`;
  expect(execFileSync('unshare', ['--mount', 'sh', '-c', byName], { encoding: 'utf8' }).split('\n')).toContain(outside);
  replace('proc', '/mnt');
  expect(await refused({})).toMatchObject({ code: 'E_LAUNCH_LINK' });
  rmSync(join(rig.rootfs, 'proc'));
  mkdirSync(join(rig.rootfs, 'proc'));
  symlinkSync(`../../../../../..${outside}`, join(rig.rootfs, 'mnt/link'));
  symlinkSync('/run/late/made', join(rig.rootfs, 'mnt/dangling'));
  const before = outsideNow();
  const tmpfs = (destination: string) =>
    step('mounts', { op: 'mount', destination, fsType: 'tmpfs', source: 'tmpfs', attributes: {}, data: [], refuseSymlinks: false });
  const { stdout } = await runToEnd(launcher, rig, {
    args: ['sh', '-c', 'mount | while read a b c d; do echo $c; done'],
    mounts: [tmpfs('/mnt/link'), tmpfs('/mnt/dangling')],
  });
  expect(stdout.split('\n').slice(-3)).toEqual([outside, '/run/late/made', '']);
  expect(outsideNow()).toEqual(before);
  expect(existsSync('/run/late')).toBe(false);
});

// @attack A04: attack
hostTest('a link of the image does not lead a mount onto a part of procfs', ['linux', 'root'], async () => {
  symlinkSync('/proc/sys', join(rig.rootfs, 'mnt/innocent'));
  const mount = step('mounts', {
    op: 'mount',
    destination: '/mnt/innocent',
    fsType: 'tmpfs',
    source: 't',
    attributes: {},
    data: [],
    refuseSymlinks: false,
  });
  expect(await refused({ mounts: [mount] })).toMatchObject({ cause: { op: 'mount', call: 'procfs in the way' } });
});

// @attack A04: attack, control, twin
hostTest('a link of the image does not lead a mount to where device nodes are made', ['linux', 'root'], async () => {
  symlinkSync('/dev', join(rig.rootfs, 'mnt/data'));
  symlinkSync('/dev/shm', join(rig.rootfs, 'mnt/shm'));
  const mount = (destination: string) =>
    step('mounts', { op: 'mount', destination, fsType: 'tmpfs', source: 't', attributes: {}, data: [], refuseSymlinks: false });
  // Known-bad control: with nothing mounted at /dev, the place is the image's own, and may be led to.
  expect((await runToEnd(launcher, rig, { args: ['true'], mounts: [mount('/mnt/data')], imageDev: true })).exitCode).toBe(0);
  for (const place of ['/mnt/data', '/mnt/data/snd', '/mnt/data/null']) {
    expect(await refused({ mounts: [mount(place)] }), place).toMatchObject({ cause: { op: 'mount', call: 'devices in the way' } });
  }
  const twins = ['/mnt/shm', '/dev/snd'].map((place) => mount(place));
  expect((await runToEnd(launcher, rig, { args: ['true'], mounts: twins })).exitCode).toBe(0);
});

// @attack A02: attack, control
hostTest('no working directory leads out through a descriptor', ['linux', 'root'], async () => {
  // Known-bad control: a program that has changed its root and kept a descriptor sees through it what is outside.
  const kept = `mount -t proc proc ${rig.rootfs}/proc; exec 7<${outside}; exec chroot ${rig.rootfs} /bin/ls /proc/self/fd/7/`;
  expect(execFileSync('unshare', ['--mount', 'sh', '-c', kept], { encoding: 'utf8' })).toBe('ptmx\n');

  symlinkSync('/proc/self/fd/7', join(rig.rootfs, 'mnt/seven'));
  const paths = [...Array.from({ length: 65 }, (_, n) => `/proc/self/fd/${n}`), '/proc/self/fd/7/../..', '/proc/1/cwd', '/mnt/seven'];
  for (const path of paths) {
    const workdir = step('settings', { op: 'workdir', path, create: false }, '/process/cwd');
    expect(await refused({ settings: [workdir] }), path).toMatchObject({ cause: { op: 'workdir' } });
  }
});

// @attack A07: attack, control, twin
hostTest('/dev/console is the pty itself, whatever the image has there', ['linux', 'root'], async () => {
  replace('dev/console', '/proc/sysrq-trigger');
  // Known-bad control: by its name the console is what the image says.
  expect(readlinkSync(join(rig.rootfs, 'dev/console'))).toBe('/proc/sysrq-trigger');
  mkdirSync(join(rig.rootfs, 'dev/pts'));
  const parts = { terminal: true, imageDev: true } as const;
  expect(await refused(parts)).toMatchObject({ cause: { op: 'console' } });
  const { stdout } = await runToEnd(launcher, rig, { args: ['sh', '-c', "stat -c '%t' /dev/console"], terminal: true });
  expect(stdout.trim()).toBe('88');
});

/** renameat2(RENAME_EXCHANGE) in a loop, as a container that shares the volume could. */
function exchanging(volume: string): { stop(): void } {
  const swap = join(rig.dir, 'swap.py');
  writeFileSync(
    swap,
    `import ctypes,sys\nlibc=ctypes.CDLL(None)\nwhile True:\n  libc.renameat2(-100,b"${volume}/d",-100,b"${volume}/l",2)\n`,
  );
  const racer = spawn('python3', [swap], { stdio: 'ignore' });
  return { stop: () => racer.kill('SIGKILL') };
}

// @attack A05, A10: attack, control, twin
hostTest(
  'a neighbour that swaps a directory for a link during the mounts wins nothing',
  ['linux', 'root'],
  async () => {
    const volume = join(rig.dir, 'volume');
    mkdirSync(join(volume, 'd'), { recursive: true });
    const source = join(rig.dir, 'source');
    mkdirSync(source, { recursive: true });
    rmSync(join(volume, 'l'), { force: true });
    symlinkSync(`../../../../../../../..${outside}`, join(volume, 'l'));
    const racer = exchanging(volume);
    const outcomes = { mounted: 0, refused: 0 };
    try {
      // Known-bad control: whoever goes by names lands outside within moments.
      await expect.poll(() => makeByName(volume), { timeout: 60_000, interval: 1 }).toBe(true);
      const before = outsideNow();
      const mounts = ours(readFileSync('/proc/self/mountinfo', 'utf8'), rig.dir);
      for (let i = 0; i < 500; i++) {
        const plan = racedPlan(volume, source, i);
        await launcher.launch(plan, shimOptions(rig.shimDir())).then(
          () => outcomes.mounted++,
          () => outcomes.refused++,
        );
      }
      expect(outsideNow()).toEqual(before);
      expect(ours(readFileSync('/proc/self/mountinfo', 'utf8'), rig.dir)).toEqual(mounts);
    } finally {
      racer.stop();
    }
    expect(outcomes.mounted).toBeGreaterThan(0);
  },
  300_000,
);

let named = 0;
/** True once a directory made by its path came to lie outside. */
function makeByName(volume: string): boolean {
  const name = `named-${named++}`;
  try {
    mkdirSync(join(volume, 'd', name));
  } catch {
    return false; // just then there was neither
  }
  return existsSync(join(outside, name));
}

/** Binds, or begins a tmpfs with a copy, at a place whose parent changes all the time. */
function racedPlan(volume: string, source: string, round: number): ReturnType<typeof standardPlan> {
  const destination = `/v/d/made-${round}`;
  const fresh = { fsType: 'tmpfs', source: 'tmpfs', data: ['size=64k'], copyUp: true, refuseSymlinks: false } as const;
  return standardPlan({
    rootfs: rig.rootfs,
    args: ['true'],
    prepare: [
      step('prepare', { op: 'openSource', slot: 0, hostPath: volume, recursive: true }),
      step('prepare', { op: 'openSource', slot: 1, hostPath: source, recursive: true }),
    ],
    mounts: [
      step('mounts', { op: 'bind', slot: 0, destination: '/v', attributes: {} }),
      round % 2 === 0
        ? step('mounts', { op: 'bind', slot: 1, destination, attributes: {} })
        : step('mounts', { op: 'mount', destination, attributes: {}, ...fresh }),
    ],
  });
}

/** CVE-2019-5736: holds on to the executable of a process, and writes to it once nobody runs it. @returns whether that was possible */
async function overwrites(pid: number, end: () => Promise<void>): Promise<boolean> {
  const O_PATH = 0o10000000;
  const held = openSync(`/proc/${pid}/exe`, O_PATH);
  try {
    await end();
    const opened = openSync(`/proc/self/fd/${held}`, constants.O_WRONLY);
    try {
      return writeSync(opened, 'overwritten') > 0;
    } finally {
      closeSync(opened);
    }
  } catch {
    return false;
  } finally {
    closeSync(held);
  }
}

// @attack A01: attack, control
hostTest('the program cannot be overwritten through /proc/self/exe', ['linux', 'root'], async () => {
  const hash = () => createHash('sha256').update(readFileSync(binary)).digest('hex');
  const before = hash();
  writeFileSync(join(rig.rootfs, 'tmp/loop'), '#!/proc/self/exe\n');
  chmodSync(join(rig.rootfs, 'tmp/loop'), 0o755);
  const dir = rig.shimDir();
  const startFifo = rig.fifo();
  const plan = standardPlan({ rootfs: rig.rootfs, args: ['/tmp/loop'], awaitStart: true });
  const { pid } = await launcher.launch(plan, { ...shimOptions(dir), startFifo });
  // Before its exec, the process shows the launcher as its executable: even root on the host cannot write to that.
  expect(() => writeFileSync(`/proc/${pid}/exe`, 'overwritten')).toThrow(/ETXTBSY|EPERM|EACCES/);
  const end = async () => {
    readFileSync(startFifo);
    await expect.poll(() => readExit(dir)).toBeDefined();
  };
  expect(await overwrites(pid, end)).toBe(false);
  expect(hash()).toBe(before);
  // Known-bad control: a program that runs from its file.
  const plain = join(rig.dir, 'plain-sleep');
  copyFileSync('/bin/sleep', plain);
  const child = spawn(plain, ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const killed = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  await expect.poll(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8')).toBe('plain-sleep\n');
  expect(await overwrites(child.pid ?? 0, killed)).toBe(true);
  expect(readFileSync(plain, 'latin1').startsWith('overwritten')).toBe(true);
});

// @attack A40: attack
hostTest('shared and private roots leak no mount to the host', ['linux', 'root'], async () => {
  const mounts = () => ours(readFileSync('/proc/1/mountinfo', 'utf8'), rig.dir);
  const before = mounts();
  for (const propagation of ['rprivate', 'rslave'] as const) {
    const plan = standardPlan({ rootfs: rig.rootfs, args: ['true'] });
    const operations = plan.operations.map((each) => (each.op === 'rootPropagation' ? { ...each, propagation } : each));
    await launcher.launch({ operations }, shimOptions(rig.shimDir()));
    expect(mounts(), propagation).toEqual(before);
  }
});

// @attack A39: attack, control
hostTest('a sysctl key does not climb out of /proc/sys', ['linux', 'root'], async () => {
  // The control: a path that is put together leads there, to the name of whoever writes.
  const own = readFileSync('/proc/self/comm', 'utf8').trim();
  writeFileSync('/proc/sys/kernel/../../self/comm', own);
  for (const key of ['../self/comm', '/../self/comm', 'kernel/../../self/comm', 'no.such.key']) {
    const sysctl = step('settings', { op: 'sysctl', key, value: 'h' }, '/linux/sysctl');
    expect(await refused({ settings: [sysctl] }), key).toMatchObject({ cause: { op: 'sysctl' } });
  }
});
