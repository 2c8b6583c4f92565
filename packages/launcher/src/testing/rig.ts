/**
 * A disposable busybox root and plans for it, for the launcher's own host tests.
 *
 * Knows: what an ordinary container's plan looks like, so that a test states only what is special about its own.
 * Does not know: config.json; the runtime's planner is tested where it lives.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { constants, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Launcher, LaunchOptions } from '../launcher.ts';
import type { Operation, OperationBody, OperationRecord, Phase, Plan } from '../operations.ts';
import { attachShim } from '../shim-client.ts';

const NATIVE = fileURLToPath(new URL('../../native', import.meta.url));
const APPLETS = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'ls',
  'id',
  'mount',
  'stat',
  'hostname',
  'stty',
  'tty',
  'yes',
  'head',
  'true',
  'false',
  'kill',
  'readlink',
  'touch',
  'wc',
  'ip',
  'seq',
  'env',
  'mkdir',
  'cut',
  'sort',
  'setsid',
  'od',
];
export const EMPTY_ENV = ['PATH=/bin', 'HOME=/root'] as const;

/** Builds the program; quick when it is up to date. */
export function buildNative(target: 'all' | 'test' | 'fuzz' = 'all'): string {
  execFileSync('make', ['-s', '-C', NATIVE, target], { stdio: 'pipe' });
  const name = { all: 'slipway-launcher', test: 'slipway-launcher-test', fuzz: 'fuzz-plan' }[target];
  return join(NATIVE, '../build', name);
}

/** A directory on a tmpfs of its own, with a busybox root file system in `rootfs`. */
export interface Rig {
  readonly dir: string;
  readonly rootfs: string;
  /** A fresh 0700 directory for a shim. */
  shimDir(): string;
  /** A path for an exec fifo, which the launcher makes. */
  fifo(): string;
  [Symbol.dispose](): void;
}

export function makeRig(): Rig {
  const dir = mkdtempSync('/tmp/slipway-launcher-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=755', 'launcher-test', dir]);
  const rootfs = join(dir, 'rootfs');
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp', 'etc', 'root']) mkdirSync(join(rootfs, name), { recursive: true });
  execFileSync('cp', ['/bin/busybox', join(rootfs, 'bin/busybox')]);
  for (const applet of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', applet));
  let count = 0;
  return {
    dir,
    rootfs,
    shimDir: () => {
      const shim = join(dir, `shim-${count++}`);
      mkdirSync(shim, { mode: 0o700 });
      return shim;
    },
    fifo: () => join(dir, `fifo-${count++}`),
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', dir]);
      rmSync(dir, { recursive: true });
    },
  };
}

/** Lets a process go on that waits in `awaitStart`. */
export function openStart(fifo: string): void {
  const fd = openSync(fifo, 'r');
  readFileSync(fd);
  closeSync(fd);
}

export function step(phase: Phase, body: OperationBody, pointer = ''): Operation {
  return { ...body, phase, pointer, reason: 'a test asks for it' };
}

const NULL_DEVICES = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
] as const;

export interface PlanParts {
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly terminal?: boolean;
  readonly awaitStart?: boolean;
  /** Operations before the clone. */
  readonly prepare?: readonly Operation[];
  /** Right after the clone, outside. */
  readonly identity?: readonly Operation[];
  /** After the standard mounts and devices, before pivotRoot. */
  readonly mounts?: readonly Operation[];
  /** After pivotRoot. */
  readonly settings?: readonly Operation[];
  /** Leave /dev as the image has it. */
  readonly imageDev?: boolean;
}

/** What a default container does, with the given parts put in. */
export function standardPlan(parts: PlanParts): Plan {
  return {
    operations: [
      step('prepare', { op: 'openRoot', hostPath: parts.rootfs }, '/root/path'),
      ...(parts.prepare ?? []),
      step('clone', { op: 'clone', namespaces: ['mount', 'pid', 'ipc', 'uts', 'network', 'cgroup'] }, '/linux/namespaces'),
      ...(parts.identity ?? []),
      step('mounts', { op: 'newSession' }),
      step('mounts', { op: 'rootPropagation', propagation: 'rslave' }),
      step('mounts', { op: 'bindRoot' }),
      ...standardMounts(parts),
      ...standardDevices(parts),
      ...(parts.mounts ?? []),
      ...(parts.terminal ? [step('devices', { op: 'console', rows: 24, columns: 80 }, '/process/terminal')] : []),
      step('root', { op: 'pivotRoot' }),
      step('settings', { op: 'hostname', name: 'box' }, '/hostname'),
      step('settings', { op: 'loopbackUp' }),
      ...(parts.settings ?? []),
      step('settings', { op: 'workdir', path: '/', create: false }, '/process/cwd'),
      step('settings', { op: 'findExecutable', name: parts.args[0] ?? '', path: '/bin' }, '/process/args/0'),
      step('rights', { op: 'umask', mask: 0o22 }),
      ...(parts.awaitStart ? [step('start', { op: 'awaitStart' })] : []),
      step('start', { op: 'exec', args: parts.args, env: EMPTY_ENV }, '/process/args'),
    ],
  };
}

function standardMounts({ imageDev }: PlanParts): Operation[] {
  const kernel = (destination: string, fsType: string, data: readonly string[], strict = true) =>
    step('mounts', {
      op: 'mount',
      destination,
      fsType,
      source: fsType,
      attributes: { noSuid: true, noExec: true },
      data,
      refuseSymlinks: strict,
    });
  const dev = [
    kernel('/dev', 'tmpfs', ['mode=755', 'size=64k'], false),
    kernel('/dev/pts', 'devpts', ['newinstance', 'ptmxmode=0666', 'mode=0620']),
    kernel('/dev/shm', 'tmpfs', ['mode=1777', 'size=64k'], false),
    kernel('/dev/mqueue', 'mqueue', []),
  ];
  return [kernel('/proc', 'proc', []), ...(imageDev ? [] : dev), kernel('/sys', 'sysfs', [])];
}

function standardDevices({ imageDev }: PlanParts): Operation[] {
  const devices = NULL_DEVICES.map(([name, major, minor]) =>
    step('devices', { op: 'device', path: `/dev/${name}`, type: 'c', major, minor, mode: 0o666, uid: 0, gid: 0 }),
  );
  const links = ['fd', 'stdin', 'stdout', 'stderr'].map((name, i) =>
    step('devices', { op: 'symlink', path: `/dev/${name}`, target: i === 0 ? '/proc/self/fd' : `/proc/self/fd/${i - 1}` }),
  );
  const ptmx = step('devices', { op: 'symlink', path: '/dev/ptmx', target: 'pts/ptmx' });
  return imageDev ? [...devices, ...links] : [...devices, ...links, ptmx];
}

export function shimOptions(dir: string, more: Partial<LaunchOptions['supervision'] & { mode: 'shim' }> = {}): LaunchOptions {
  return { supervision: { mode: 'shim', dir, terminal: false, openStdin: false, stdinOnce: false, logMaxBytes: 1 << 20, ...more } };
}

/** Whether a process exists, zombie or not. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'errno' in error && error.errno === -constants.errno.ESRCH);
  }
}

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  readonly records: readonly OperationRecord[];
}

/** Runs a plan that waits for its start to its end, under a shim, and collects what it said. */
export async function runToEnd(launcher: Launcher, rig: Rig, parts: Omit<PlanParts, 'rootfs' | 'awaitStart'>): Promise<Finished> {
  const dir = rig.shimDir();
  const startFifo = rig.fifo();
  const records: OperationRecord[] = [];
  const plan = standardPlan({ ...parts, rootfs: rig.rootfs, awaitStart: true });
  const supervision = shimOptions(dir, { terminal: parts.terminal ?? false }).supervision;
  await launcher.launch(plan, { supervision, startFifo, onRecord: (record) => records.push(record) });
  const connection = await attachShim(dir);
  const output = { stdout: '', stderr: '' };
  connection.onOutput((stream, bytes) => {
    output[stream] += Buffer.from(bytes).toString('utf8');
  });
  openStart(startFifo);
  const { exitCode } = await connection.exit;
  return { ...output, exitCode, records };
}

/**
 * The lines of a mountinfo that a leak would change: what lies below `dir`, and what covers the host's own directories. Other
 * mounts come and go with whatever else this machine does.
 */
export function ours(mountinfo: string, dir: string): string[] {
  const places = /^\/(dev|proc|sys|bin|v|mnt|etc)?(\/(pts|shm|mqueue|console|null))?$/;
  return mountinfo.split('\n').filter((line) => line.includes(dir) || places.test(line.split(' ')[4] ?? ''));
}

/** What a failed launch could leave: children of ours, mounts anywhere, another host name. */
export function launchTraces(rig: Rig): { readonly children: readonly string[] } & Readonly<Record<string, unknown>> {
  return {
    children: execFileSync('ps', ['--no-headers', '-o', 'comm', '--ppid', String(process.pid)], { encoding: 'utf8' })
      .split('\n')
      .filter((name) => name.startsWith('slipway')),
    mounts: ours(readFileSync('/proc/self/mountinfo', 'utf8'), rig.dir),
    hostname: hostname(),
  };
}
