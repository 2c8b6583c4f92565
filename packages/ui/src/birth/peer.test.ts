import type { PlannedOperation, ProcessView, TapedCall } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { callAsText, errnoOf } from './peer-call.ts';
import { joinBirths } from './peer-join.ts';
import { peerSteps } from './peer-steps.ts';

const hex = (value: number) => `0x${value.toString(16)}`;
const ADDRESS = '0xc000012a80';
let clock = 0;

function call(process: number, syscall: string, args: Record<string, string> = {}, result = 0): TapedCall {
  return { atMs: ++clock, tookMs: 0.01, process, syscall, args, result };
}
const mount = (flags: number, result = 0, process = 2) =>
  call(process, 'mount', { dev_name: ADDRESS, dir_name: ADDRESS, type: ADDRESS, flags: hex(flags), data: '0x0' }, result);
const exec = (process: number, filename: string) => call(process, 'execve', { filename });
const prctl = (option: number, arg2 = 0) => call(2, 'prctl', { option: hex(option), arg2: hex(arg2), arg3: '0x0', arg4: '0x0' });

/** runc's way, shortened: the order is its own, and unlike ours it covers paths after pivot_root. */
const CALLS: readonly TapedCall[] = [
  exec(0, '/usr/bin/runc'),
  call(0, 'seccomp', { op: '0x1', flags: '0x1', uargs: '0x0' }, -14), // asks whether the kernel knows the flag
  mount(0x1000, 0, 1), // of its own program
  call(1, 'unshare', { unshare_flags: hex(0x2002_0000) }),
  call(1, 'clone', { clone_flags: '0x8000' }, 2),
  call(2, 'unshare', { unshare_flags: hex(0x200_0000) }),
  mount(0x84000),
  mount(0x5000), // the root directory
  mount(0), // /proc
  mount(0xf), // /sys
  mount(0x1000), // /dev/null
  call(2, 'symlinkat', { oldname: ADDRESS, newdfd: hex(0xffff_ffff_ff9c), newname: ADDRESS }),
  call(2, 'symlinkat', { oldname: ADDRESS, newdfd: hex(0xffff_ffff_ff9c), newname: ADDRESS }),
  call(2, 'pivot_root', { new_root: ADDRESS, put_old: ADDRESS }),
  call(2, 'umount', { name: ADDRESS, flags: '0x2' }),
  mount(0x1021),
  mount(0x5000), // /proc/sys
  mount(0x1021),
  mount(0x1000, -20), // /proc/acpi is a directory: a try with /dev/null, then with an empty file system
  mount(0x1),
  mount(0x1000, -2), // /proc/scsi does not exist here
  prctl(24, 0),
  prctl(24, 1),
  prctl(38, 1),
  exec(2, '/bin/sh'),
  call(2, 'prlimit64', { pid: '0x0', resource: '0x3', new_rlim: ADDRESS, old_rlim: '0x0' }), // the container's own
];

function operation(index: number, op: string, phase: PlannedOperation['phase'], object: Record<string, string> = {}): PlannedOperation {
  const args = Object.entries(object).map(([name, value]) => ({ name, value }));
  return { index, op, phase, pointer: '', reason: '', args, plannedAt: [] };
}
const OPERATIONS = (
  [
    ['clone', 'clone', { namespaces: '["pid","mount"]' }],
    ['joinCgroup', 'identity'],
    ['unshare', 'identity', { namespaces: '["cgroup"]' }],
    ['rootPropagation', 'mounts'],
    ['bindRoot', 'mounts'],
    ['mount', 'mounts', { destination: '/proc' }],
    ['mount', 'mounts', { destination: '/sys' }],
    ['bindDevice', 'devices', { path: '/dev/null' }],
    ['symlink', 'devices', { path: '/dev/fd' }],
    ['symlink', 'devices', { path: '/dev/stdin' }],
    ['readonlyPath', 'root', { path: '/proc/sys' }],
    ['mask', 'root', { path: '/proc/acpi' }],
    ['mask', 'root', { path: '/proc/scsi' }],
    ['pivotRoot', 'root'],
    ['readonlyRoot', 'root'],
    ['boundingSet', 'rights'],
    ['noNewPrivileges', 'rights'],
    ['exec', 'start'],
  ] as const
).map(([op, phase, object], index) => operation(index, op, phase, object));

const line = (mountPoint: string, root = '/') => ({ mountPoint, root });
const PROCESS = {
  mounts: [line('/'), line('/proc'), line('/sys'), line('/dev/null', '/null'), line('/proc/sys', '/sys'), line('/proc/acpi')],
  mountsLeftOut: 0,
  cgroups: [{ controllers: 'memory', path: '/peer-1' }],
} as unknown as ProcessView;

const joined = (process: ProcessView | undefined) =>
  joinBirths(OPERATIONS, peerSteps(CALLS, process), process).map(({ ours, theirs }) => [
    ours.map(({ op }) => op).join('+'),
    theirs.map(({ op, object, calls }) => `${op} ${object} ${calls.length}`).join('+'),
  ]);

test('calls become jobs, and jobs find ours by what the mount table says they were about', () => {
  expect(joined(PROCESS)).toEqual([
    ['', '  1'], // what was called
    ['', '  1'], // its own program
    ['clone', 'clone mount, pid 1'],
    ['', '  1'], // a further process
    ['joinCgroup', ''],
    ['unshare', 'unshare cgroup 1'],
    ['rootPropagation', 'rootPropagation  1'],
    ['bindRoot', 'bindRoot  1'],
    ['mount', 'mount /proc 1'],
    ['mount', 'mount /sys 1'],
    ['bindDevice', 'mount /dev/null 1'],
    ['symlink+symlink', 'symlink  2'],
    ['readonlyPath', 'readonlyPath /proc/sys 2'],
    ['mask', 'mask /proc/acpi 2'],
    ['mask', 'mask  1'],
    ['pivotRoot', 'pivotRoot  2'],
    ['readonlyRoot', 'readonlyRoot  1'],
    ['boundingSet', 'boundingSet  2'],
    ['noNewPrivileges', 'noNewPrivileges  1'],
    ['exec', 'exec /bin/sh 1'],
  ]);
});

test('a mount table that does not add up names nothing; what is not recorded is told from /proc', () => {
  const short = { ...PROCESS, mounts: PROCESS.mounts.slice(1) };
  expect(peerSteps(CALLS, short).every(({ from }) => from !== 'the mount table it left')).toBe(true);
  const [cgroup] = joinBirths(OPERATIONS, peerSteps(CALLS, short), short).filter(({ ours }) => ours[0]?.op === 'joinCgroup');
  expect(cgroup?.instead).toContain('/peer-1');
});

test('steps are numbered in order of time, without probing and without what the container’s program does', () => {
  const steps = peerSteps(CALLS, PROCESS);
  expect(steps.map(({ number }) => number)).toEqual(steps.map((_step, index) => index + 1));
  expect(steps.some(({ op }) => op === 'seccomp' || op === 'rlimit')).toBe(false);
  expect(steps.findIndex(({ op }) => op === 'pivotRoot')).toBeLessThan(steps.findIndex(({ op }) => op === 'mask'));
  expect(peerSteps([], undefined)).toEqual([]);
});

test('a call reads with names for numbers and a mark for addresses', () => {
  expect(callAsText(mount(0x5000))).toBe('mount(…, …, …, MS_BIND|MS_REC, NULL)');
  expect(callAsText(call(0, 'mknodat', { dfd: '0xffffffffffffff9c', filename: ADDRESS, mode: '0x21b6', dev: '0x103' }))).toBe(
    'mknodat(AT_FDCWD, …, 020666, 1:3)',
  );
  expect(callAsText(call(0, 'unshare', { unshare_flags: hex(0x4802_0000) }))).toBe('unshare(CLONE_NEWNS|CLONE_NEWIPC|CLONE_NEWNET)');
  expect(callAsText(exec(0, '/bin/sh'))).toBe('execve("/bin/sh")');
  expect(errnoOf(mount(0, -2))).toBe('ENOENT');
  expect(errnoOf(mount(0))).toBeUndefined();
});
