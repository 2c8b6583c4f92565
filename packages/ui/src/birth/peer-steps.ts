/**
 * What another runtime did, out of its recorded system calls: steps by the job that they do, with our operation's name for the job.
 *
 * Knows: how runc makes a container, the order in which it goes about it, and what of a call's subject can be known all the same: from
 *   its numbers, and from the mount table that it left, whose lines stand in the order in which they were mounted.
 * Does not know: our own birth (peer-join.ts).
 */
import type { PlannedOperation, ProcessView, TapedCall } from '@slipway/contracts';
import { argument, deviceNumber, hasFlag, MS, NAMESPACE_FLAGS, PR, RLIMITS } from './peer-call.ts';

export type Phase = PlannedOperation['phase'];

export interface PeerStep {
  /** From 1, in order of time. */
  readonly number: number;
  /** The operation of ours that does the same job; `''`: a job that only the other runtime has. */
  readonly op: string;
  readonly phase: Phase;
  readonly calls: readonly TapedCall[];
  /** What it is about, where that can be known: `/proc`, `network`, `RLIMIT_NOFILE`. */
  readonly object: string;
  /** Where the object is known from. */
  readonly from?: 'its numbers' | 'the mount table it left';
  /** Of a job of its own: what it is. */
  readonly note?: string;
}

interface Job {
  readonly op: string;
  readonly object?: string;
  readonly note?: string;
  /** Part of the step before, where that does the same job. */
  readonly joins?: true;
  /** A call that puts something into the mount table. */
  readonly mounts?: true;
}

interface Context {
  /** The process that becomes the container. */
  readonly init: number;
  readonly lastExec: TapedCall | undefined;
  rooted: boolean;
  mounted: boolean;
  readonly last: { readonly op: string; readonly call: TapedCall } | undefined;
}

type Rule = (call: TapedCall, context: Context) => Job | undefined;

const PHASES: Readonly<Record<string, Phase>> = {
  '': 'prepare',
  clone: 'clone',
  joinNamespace: 'identity',
  unshare: 'identity',
  becomeRoot: 'identity',
  sessionKeyring: 'identity',
  newSession: 'identity',
  rootPropagation: 'mounts',
  bindRoot: 'mounts',
  mount: 'mounts',
  device: 'devices',
  symlink: 'devices',
  hostname: 'settings',
  domainname: 'settings',
  readonlyPath: 'root',
  mask: 'root',
  pivotRoot: 'root',
  chroot: 'root',
  readonlyRoot: 'root',
  exec: 'start',
};
const DEVICES: Readonly<Record<string, string>> = {
  '1:3': '/dev/null',
  '1:5': '/dev/zero',
  '1:7': '/dev/full',
  '1:8': '/dev/random',
  '1:9': '/dev/urandom',
  '5:0': '/dev/tty',
};
const S_IFMT = 0o17_0000;
const S_IFIFO = 0o1_0000;
const ENOTDIR = -20;

const OWN_PROGRAM: Job = { op: '', note: 'a read-only view of its own program, so that no container can write to it', joins: true };

const becomes =
  (op: string): Rule =>
  (_call, { rooted }) => ({ op: rooted ? op : 'becomeRoot', joins: true });
const does =
  (op: string): Rule =>
  () => ({ op });

/** By system call; undefined: nothing that makes a container. */
const RULES: Readonly<Record<string, Rule>> = {
  execve: (call, { lastExec, last }) => {
    if (call === lastExec) return { op: 'exec', object: call.args['filename'] ?? '' };
    return { op: '', note: last === undefined ? 'what was called' : 'its own program again, for what is to become the container' };
  },
  clone: (call) =>
    namespacesOf(call, 'clone_flags').length > 0
      ? { op: 'clone', object: namespacesOf(call, 'clone_flags').join(', ') }
      : { op: '', note: 'a further process of its own' },
  unshare: (call) => {
    const object = namespacesOf(call, 'unshare_flags').join(', ');
    return { op: object === 'cgroup' ? 'unshare' : 'clone', object };
  },
  setns: (call) => ({ op: 'joinNamespace', object: namespacesOf(call, 'nstype').join(', ') }),
  setsid: does('newSession'),
  setuid: becomes('user'),
  setgid: becomes('user'),
  setresuid: becomes('user'),
  setresgid: becomes('user'),
  setgroups: becomes('user'),
  keyctl: (call) => {
    const option = argument(call, 'option');
    return option === 1 || option === 5 ? { op: 'sessionKeyring', joins: true } : undefined;
  },
  prctl: (call) => prctlJob(argument(call, 'option')),
  mount: (call, context) => mountJob(call, context),
  move_mount: () => ({ op: 'mount', mounts: true }),
  umount: (_call, { rooted }) => (rooted ? { op: 'pivotRoot', joins: true } : OWN_PROGRAM),
  pivot_root: does('pivotRoot'),
  chroot: does('chroot'),
  chdir: (call, { init, rooted, last }) => {
    if (last?.op === 'pivotRoot') return { op: 'pivotRoot', joins: true };
    return rooted && call.process === init ? { op: 'workdir' } : undefined;
  },
  fchdir: (call, { init, rooted }) => (call.process === init && rooted ? { op: 'pivotRoot', joins: true } : undefined),
  mknodat: (call) => {
    if ((argument(call, 'mode') & S_IFMT) === S_IFIFO) return { op: '', note: 'the fifo at which the container will wait for its start' };
    const number = deviceNumber(argument(call, 'dev'));
    return { op: 'device', object: DEVICES[number] ?? number };
  },
  symlinkat: () => ({ op: 'symlink', joins: true }),
  sethostname: does('hostname'),
  setdomainname: does('domainname'),
  prlimit64: (call) => (argument(call, 'new_rlim') === 0 ? undefined : { op: 'rlimit', object: RLIMITS[argument(call, 'resource')] ?? '' }),
  umask: (call, { init, rooted }) => (rooted && call.process === init ? { op: 'umask' } : undefined),
  capset: () => ({ op: 'capabilities', joins: true }),
  // A runtime asks the kernel what it knows of seccomp by calls that must fail.
  seccomp: (call) => (argument(call, 'op') === 1 && (call.result ?? -1) >= 0 ? { op: 'seccomp' } : undefined),
  personality: does('personality'),
  sched_setattr: does('scheduler'),
  sched_setaffinity: does('cpuAffinity'),
  ioprio_set: does('ioPriority'),
  set_mempolicy: does('memoryPolicy'),
};

/** Steps in order of time. `process` is what was made, as it waited for its start; without it fewer objects are known. */
export function peerSteps(calls: readonly TapedCall[], process: ProcessView | undefined): readonly PeerStep[] {
  const init = calls.find(({ syscall }) => syscall === 'pivot_root' || syscall === 'chroot')?.process ?? calls.at(-1)?.process ?? 0;
  const lastExec = calls.findLast(({ process: who, syscall }) => who === init && syscall === 'execve');
  // What comes after is the container's own program.
  const birth = lastExec === undefined ? calls : calls.slice(0, calls.indexOf(lastExec) + 1);
  const steps: Step[] = [];
  let context: Context = { init, lastExec, rooted: false, mounted: false, last: undefined };
  for (const call of birth) {
    const job = RULES[call.syscall]?.(call, context);
    if (job === undefined) continue;
    context = {
      ...context,
      rooted: context.rooted || ((job.op === 'pivotRoot' || job.op === 'chroot') && call.result === 0),
      mounted: context.mounted || job.op === 'bindRoot',
      last: { op: job.op, call },
    };
    take(steps, job, call);
  }
  nameMounts(steps, process);
  return steps.map(({ mounts: _mounts, ...step }, index) => ({ ...step, number: index + 1 }));
}

type Step = Omit<PeerStep, 'number' | 'calls' | 'object' | 'from' | 'phase'> & {
  phase: Phase;
  object: string;
  from?: NonNullable<PeerStep['from']>;
  readonly calls: TapedCall[];
  readonly mounts: boolean;
};

function take(steps: Step[], job: Job, call: TapedCall): void {
  const last = steps.at(-1);
  const { op, object = '', note, mounts = false } = job;
  if (job.joins === true && last?.op === op && last.note === note) {
    last.calls.push(call);
    return;
  }
  const phase = PHASES[op] ?? 'rights';
  steps.push({
    op,
    phase,
    object,
    calls: [call],
    mounts,
    ...(note === undefined ? {} : { note }),
    ...(object ? { from: 'its numbers' } : {}),
  });
}

function prctlJob(option: number): Job | undefined {
  switch (option) {
    case PR.CAPBSET_DROP:
      return { op: 'boundingSet', joins: true };
    case PR.SET_NO_NEW_PRIVS:
      return { op: 'noNewPrivileges' };
    case PR.SET_KEEPCAPS:
      return { op: 'user', joins: true };
    case PR.CAP_AMBIENT:
      return { op: 'capabilities', joins: true };
    case PR.SET_CHILD_SUBREAPER:
      return { op: '', note: 'takes in the children of its children' };
    default:
      return undefined;
  }
}

const PROPAGATION = [MS.UNBINDABLE, MS.PRIVATE, MS.SLAVE, MS.SHARED] as const;

/** mount(2) does six jobs; which one is told by its flags and by how far the birth has come. */
function mountJob(call: TapedCall, { init, rooted, mounted, last }: Context): Job {
  if (call.process !== init) return OWN_PROGRAM;
  const flags = argument(call, 'flags');
  const has = (flag: number) => hasFlag(flags, flag);
  if (PROPAGATION.some(has)) return rooted ? { op: 'pivotRoot', joins: true } : { op: 'rootPropagation' };
  if (has(MS.REMOUNT)) return rooted && last?.op !== 'readonlyPath' ? { op: 'readonlyRoot' } : { op: last?.op ?? 'mount', joins: true };
  if (rooted) return coveringJob(has, last);
  return has(MS.BIND) && !mounted ? { op: 'bindRoot', mounts: true } : { op: 'mount', mounts: true };
}

/** Inside the new root, paths are covered: read-only by themselves, or by nothing. */
function coveringJob(has: (flag: number) => boolean, last: Context['last']): Job {
  if (has(MS.BIND)) return { op: has(MS.REC) ? 'readonlyPath' : 'mask', mounts: true };
  // A directory cannot be covered by /dev/null; it is tried first.
  return last?.op === 'mask' && last.call.result === ENOTDIR ? { op: 'mask', joins: true, mounts: true } : { op: 'mask', mounts: true };
}

/** One line of the mount table a call that attached something, in the same order; where the counts differ, nothing is claimed. */
function nameMounts(steps: readonly Step[], process: ProcessView | undefined): void {
  const attaching = steps.filter(({ mounts, calls }) => mounts && calls.some(({ result }) => result === 0));
  if (process === undefined || process.mountsLeftOut > 0 || attaching.length !== process.mounts.length) return;
  for (const [index, step] of attaching.entries()) {
    if (step.op === 'bindRoot') continue; // a mount of the root directory has no path of its own
    const mount = process.mounts[index];
    if (mount === undefined) continue;
    step.object = mount.mountPoint;
    step.from = 'the mount table it left';
    if (step.op === 'mount' && isDeviceNode(mount)) step.phase = 'devices';
  }
}

/** A node of the machine's /dev bound into the container's. */
function isDeviceNode({ mountPoint, root }: ProcessView['mounts'][number]): boolean {
  return mountPoint.startsWith('/dev/') && root !== '/';
}

function namespacesOf(call: TapedCall, name: string): string[] {
  const flags = argument(call, name);
  return [...NAMESPACE_FLAGS].filter(([flag]) => hasFlag(flags, flag)).map(([, kind]) => kind);
}
