/**
 * A recorded system call as text: numbers by their names, and a mark where the kernel's event has no more than an address.
 *
 * Knows: the arguments of the calls that are recorded. Does not know: what a call is for (peer-steps.ts).
 */
import type { TapedCall } from '@slipway/contracts';

type Names = readonly (readonly [value: number, name: string])[];

export const MS = {
  RDONLY: 0x1,
  REMOUNT: 0x20,
  BIND: 0x1000,
  MOVE: 0x2000,
  REC: 0x4000,
  UNBINDABLE: 0x2_0000,
  PRIVATE: 0x4_0000,
  SLAVE: 0x8_0000,
  SHARED: 0x10_0000,
} as const;
const MOUNT_FLAGS: Names = [
  [MS.RDONLY, 'MS_RDONLY'],
  [0x2, 'MS_NOSUID'],
  [0x4, 'MS_NODEV'],
  [0x8, 'MS_NOEXEC'],
  [MS.REMOUNT, 'MS_REMOUNT'],
  [0x400, 'MS_NOATIME'],
  [0x800, 'MS_NODIRATIME'],
  [MS.BIND, 'MS_BIND'],
  [MS.MOVE, 'MS_MOVE'],
  [MS.REC, 'MS_REC'],
  [0x8000, 'MS_SILENT'],
  [MS.UNBINDABLE, 'MS_UNBINDABLE'],
  [MS.PRIVATE, 'MS_PRIVATE'],
  [MS.SLAVE, 'MS_SLAVE'],
  [MS.SHARED, 'MS_SHARED'],
  [0x20_0000, 'MS_RELATIME'],
  [0x100_0000, 'MS_STRICTATIME'],
];
/** Kinds of namespaces as the document has them, by flag. */
export const NAMESPACE_FLAGS: ReadonlyMap<number, string> = new Map([
  [0x80, 'time'],
  [0x2_0000, 'mount'],
  [0x200_0000, 'cgroup'],
  [0x400_0000, 'uts'],
  [0x800_0000, 'ipc'],
  [0x1000_0000, 'user'],
  [0x2000_0000, 'pid'],
  [0x4000_0000, 'network'],
]);
const CLONE_FLAGS: Names = [
  [0x80, 'CLONE_NEWTIME'],
  [0x100, 'CLONE_VM'],
  [0x4000, 'CLONE_VFORK'],
  [0x8000, 'CLONE_PARENT'],
  [0x2_0000, 'CLONE_NEWNS'],
  [0x200_0000, 'CLONE_NEWCGROUP'],
  [0x400_0000, 'CLONE_NEWUTS'],
  [0x800_0000, 'CLONE_NEWIPC'],
  [0x1000_0000, 'CLONE_NEWUSER'],
  [0x2000_0000, 'CLONE_NEWPID'],
  [0x4000_0000, 'CLONE_NEWNET'],
];
const UMOUNT_FLAGS: Names = [[0x2, 'MNT_DETACH']];
export const PR = { SET_KEEPCAPS: 8, CAPBSET_DROP: 24, SET_CHILD_SUBREAPER: 36, SET_NO_NEW_PRIVS: 38, CAP_AMBIENT: 47 } as const;
const PRCTL: Names = [
  [4, 'PR_SET_DUMPABLE'],
  [PR.SET_KEEPCAPS, 'PR_SET_KEEPCAPS'],
  [PR.CAPBSET_DROP, 'PR_CAPBSET_DROP'],
  [PR.SET_CHILD_SUBREAPER, 'PR_SET_CHILD_SUBREAPER'],
  [PR.SET_NO_NEW_PRIVS, 'PR_SET_NO_NEW_PRIVS'],
  [PR.CAP_AMBIENT, 'PR_CAP_AMBIENT'],
];
const SECCOMP: Names = [
  [0, 'SECCOMP_SET_MODE_STRICT'],
  [1, 'SECCOMP_SET_MODE_FILTER'],
];
const KEYCTL: Names = [
  [1, 'KEYCTL_JOIN_SESSION_KEYRING'],
  [5, 'KEYCTL_SETPERM'],
];
export const RLIMITS: readonly string[] = [
  ...['RLIMIT_CPU', 'RLIMIT_FSIZE', 'RLIMIT_DATA', 'RLIMIT_STACK', 'RLIMIT_CORE', 'RLIMIT_RSS', 'RLIMIT_NPROC', 'RLIMIT_NOFILE'],
  ...['RLIMIT_MEMLOCK', 'RLIMIT_AS', 'RLIMIT_LOCKS', 'RLIMIT_SIGPENDING', 'RLIMIT_MSGQUEUE', 'RLIMIT_NICE', 'RLIMIT_RTPRIO'],
  'RLIMIT_RTTIME',
];

/** How an argument reads. The kernel gives every one of them as a number. */
type Reader = (value: number) => string;
/** An address in the caller's memory: what stands there is not in the event. */
const pointer: Reader = (value) => (value === 0 ? 'NULL' : '…');
const number: Reader = String;
const octal: Reader = (value) => `0${value.toString(8)}`;
const descriptor: Reader = (value) => (value > 0x7fff_ffff ? 'AT_FDCWD' : `fd ${value}`);
const device: Reader = (value) => (value === 0 ? '0' : deviceNumber(value));
const oneOf =
  (names: Names): Reader =>
  (value) =>
    names.find(([each]) => each === value)?.[1] ?? String(value);
const flagsOf =
  (names: Names): Reader =>
  (value) => {
    const set = names.filter(([flag]) => hasFlag(value, flag)).map(([, name]) => name);
    return set.length > 0 ? set.join('|') : '0';
  };

const READERS: Readonly<Record<string, readonly Reader[]>> = {
  mount: [pointer, pointer, pointer, flagsOf(MOUNT_FLAGS), pointer],
  umount: [pointer, flagsOf(UMOUNT_FLAGS)],
  clone: [flagsOf(CLONE_FLAGS)],
  unshare: [flagsOf(CLONE_FLAGS)],
  setns: [descriptor, flagsOf(CLONE_FLAGS)],
  prctl: [oneOf(PRCTL), number, number],
  seccomp: [oneOf(SECCOMP), number, pointer],
  keyctl: [oneOf(KEYCTL)],
  mknodat: [descriptor, pointer, octal, device],
  symlinkat: [pointer, descriptor, pointer],
  prlimit64: [number, (value) => RLIMITS[value] ?? String(value), pointer, pointer],
  setuid: [number],
  setgid: [number],
  setresuid: [number, number, number],
  setresgid: [number, number, number],
  setgroups: [number, pointer],
  umask: [octal],
  chdir: [pointer],
  fchdir: [descriptor],
  chroot: [pointer],
  pivot_root: [pointer, pointer],
  sethostname: [pointer, number],
  setdomainname: [pointer, number],
  capset: [pointer, pointer],
  setsid: [],
};

const ERRNOS: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  13: 'EACCES',
  16: 'EBUSY',
  17: 'EEXIST',
  20: 'ENOTDIR',
  22: 'EINVAL',
};

/** `mount(…, …, …, MS_BIND|MS_REC, NULL)`; what is an address is `…`. */
export function callAsText(call: TapedCall): string {
  if (call.syscall === 'execve') return `execve("${call.args['filename'] ?? ''}")`;
  const readers = READERS[call.syscall];
  const args = Object.values(call.args).map((text, index) => (readers?.[index] ?? pointer)(Number(text)));
  return `${call.syscall}(${(readers === undefined ? args : args.slice(0, readers.length)).join(', ')})`;
}

/** `ENOENT`, or undefined where it did not fail. */
export function errnoOf({ result }: Pick<TapedCall, 'result'>): string | undefined {
  if (result === undefined || result >= 0) return undefined;
  return ERRNOS[-result] ?? `errno ${-result}`;
}

export function argument(call: TapedCall, name: string): number {
  return Number(call.args[name] ?? 0);
}

/** Beyond 31 bits, too. */
export function hasFlag(value: number, flag: number): boolean {
  return Math.floor(value / flag) % 2 === 1;
}

/** `1:3` of the kernel's own coding of a device number. */
export function deviceNumber(value: number): string {
  return `${Math.floor(value / 256) % 4096}:${value % 256}`;
}
