/**
 * What each operation of a birth is: the system call it comes down to, why it exists, and where the standard says so.
 *
 * Knows: every operation of the launcher by name; texts in our own words.
 * Does not know: a particular birth.
 */
import type { PlannedOperation } from '@slipway/contracts';

export interface Explanation {
  /** The call, with the names of the operation's arguments in braces. */
  readonly call: string;
  readonly says: string;
  /** Title and address of who says so. */
  readonly reference: readonly [title: string, address: string];
}

const SPEC = 'https://github.com/opencontainers/runtime-spec/blob/main';
const spec = (title: string, anchor: string) => [`runtime-spec: ${title}`, `${SPEC}/${anchor}`] as const;
const man = (page: string, section: number) =>
  [`${page}(${section})`, `https://man7.org/linux/man-pages/man${section}/${page}.${section}.html`] as const;

const EXPLANATIONS: Readonly<Record<string, Explanation>> = {
  openRoot: {
    call: 'openat2("{hostPath}", O_PATH|O_DIRECTORY)',
    says: 'The root directory is opened once, outside. Every path of the container is then looked up below this descriptor, so no link in the image can lead out.',
    reference: spec('root', 'config.md#root'),
  },
  openSource: {
    call: 'open_tree("{hostPath}", OPEN_TREE_CLONE)',
    says: 'What will be bound into the container has to be opened while the machine’s files are still in sight.',
    reference: spec('mounts', 'config.md#mounts'),
  },
  openNamespace: {
    call: 'open("{hostPath}", O_RDONLY)',
    says: 'A namespace that exists already is entered through its file; the file must be of the kind that the document says.',
    reference: spec('namespaces', 'config-linux.md#namespaces'),
  },
  clone: {
    call: 'clone3({namespaces})',
    says: 'One call makes the process and its namespaces. What the document does not list, the process shares with whoever made it.',
    reference: spec('namespaces', 'config-linux.md#namespaces'),
  },
  idmap: {
    call: 'write(/proc/PID/uid_map), write(/proc/PID/gid_map)',
    says: 'Ids inside a user namespace mean nothing until somebody outside writes which ids they stand for. It can be written once.',
    reference: spec('user namespace mappings', 'config-linux.md#user-namespace-mappings'),
  },
  joinCgroup: {
    call: 'write(cgroup.procs, PID)',
    says: 'The process moves into its control group before it does anything of its own, so limits hold from the first instruction.',
    reference: spec('control groups', 'config-linux.md#control-groups'),
  },
  oomScore: {
    call: 'write(/proc/PID/oom_score_adj, "{value}")',
    says: 'Tells the kernel how gladly it may end this process when memory runs out.',
    reference: spec('process', 'config.md#linux-process'),
  },
  joinNamespace: { call: 'setns({slot}, {kind})', says: 'Enters a namespace that exists already.', reference: man('setns', 2) },
  unshare: {
    call: 'unshare({namespaces})',
    says: 'A cgroup namespace begins where its maker stands, so it is made after the process has moved into its control group.',
    reference: man('cgroup_namespaces', 7),
  },
  becomeRoot: {
    call: 'setresuid(0, 0, 0), setresgid(0, 0, 0)',
    says: 'Becomes root of the new user namespace, which is an ordinary user outside.',
    reference: man('user_namespaces', 7),
  },
  sessionKeyring: {
    call: 'keyctl(KEYCTL_JOIN_SESSION_KEYRING, "{name}")',
    says: 'Keyrings know no namespaces: a fresh one keeps the starter’s keys out of reach.',
    reference: man('keyctl', 2),
  },
  newSession: {
    call: 'setsid()',
    says: 'The process leads a session of its own and has no terminal that is not its own.',
    reference: man('setsid', 2),
  },
  rootPropagation: {
    call: 'mount(NULL, "/", NULL, {propagation})',
    says: 'A new mount namespace begins as a copy that still hears of mounts elsewhere. From here on its mounts stay its own affair.',
    reference: spec('rootfs propagation', 'config-linux.md#rootfs-mount-propagation'),
  },
  bindRoot: {
    call: 'mount(rootfs, rootfs, NULL, MS_BIND|MS_REC)',
    says: 'pivot_root takes a mount, not a directory. Binding the directory onto itself makes it one.',
    reference: man('pivot_root', 2),
  },
  mount: {
    call: 'fsopen("{fsType}"), fsmount(), move_mount("{destination}")',
    says: 'Mounts are made in the order of the document, each at a path looked up below the container’s root.',
    reference: spec('mounts', 'config.md#mounts'),
  },
  bind: {
    call: 'mount_setattr({attributes}), move_mount(slot {slot}, "{destination}")',
    says: 'A tree that was opened outside appears inside. It is no copy: what is written there is written to the source.',
    reference: spec('mounts', 'config.md#mounts'),
  },
  device: {
    call: 'mknodat("{path}", {type}, makedev({major}, {minor}))',
    says: 'A device node is a name for a driver; which drivers may be used is for the device rules to say.',
    reference: spec('devices', 'config-linux.md#devices'),
  },
  bindDevice: {
    call: 'move_mount(slot {slot}, "{path}")',
    says: 'In a user namespace nobody may make device nodes, so a harmless one of the machine is bound instead.',
    reference: spec('default devices', 'config-linux.md#default-devices'),
  },
  symlink: {
    call: 'symlinkat("{target}", "{path}")',
    says: 'Links that every container has in /dev, so that programs find their standard streams.',
    reference: spec('/dev links', 'runtime-linux.md#dev-symbolic-links'),
  },
  console: {
    call: 'open(/dev/ptmx), ioctl(TIOCSCTTY), dup3(…)',
    says: 'The terminal is made in the container’s own devpts and becomes its standard streams.',
    reference: spec('process.terminal', 'config.md#process'),
  },
  mask: {
    call: 'mount("/dev/null" or tmpfs, "{path}")',
    says: 'Parts of /proc and /sys tell about the whole machine. Covered, they cannot be read.',
    reference: spec('masked paths', 'config-linux.md#masked-paths'),
  },
  readonlyPath: {
    call: 'mount_setattr("{path}", MOUNT_ATTR_RDONLY)',
    says: 'May be read, may not be written: settings below /proc/sys are the whole kernel’s.',
    reference: spec('read-only paths', 'config-linux.md#readonly-paths'),
  },
  pivotRoot: {
    call: 'pivot_root(".", "."), umount2(".", MNT_DETACH)',
    says: 'Swaps the root of the mount namespace and lets go of the old one. After that no path leads to the machine’s files, unlike after chroot.',
    reference: man('pivot_root', 2),
  },
  chroot: {
    call: 'mount(".", "/", NULL, MS_MOVE), chroot(".")',
    says: 'Without pivot_root the old tree stays below; whoever has the right leaves a chroot again.',
    reference: man('chroot', 2),
  },
  readonlyRoot: {
    call: 'mount_setattr("/", MOUNT_ATTR_RDONLY)',
    says: 'Last of the mounts, since mount points had to be made before.',
    reference: spec('root.readonly', 'config.md#root'),
  },
  hostname: {
    call: 'sethostname("{name}")',
    says: 'Set in the container’s own uts namespace; without one it would be the machine’s.',
    reference: spec('hostname', 'config.md#hostname'),
  },
  domainname: {
    call: 'setdomainname("{name}")',
    says: 'Set in the container’s own uts namespace; without one it would be the machine’s.',
    reference: spec('domainname', 'config.md#domainname'),
  },
  loopbackUp: {
    call: 'ioctl(SIOCSIFFLAGS, "lo", IFF_UP)',
    says: 'A new network namespace has a loopback interface, and it is down.',
    reference: man('network_namespaces', 7),
  },
  sysctl: {
    call: 'write("/proc/sys/{key}", "{value}")',
    says: 'Settings that belong to a namespace of the container’s own; others are the machine’s and are refused.',
    reference: spec('sysctl', 'config-linux.md#sysctl'),
  },
  rlimit: {
    call: 'prlimit(0, {resource}, {soft}, {hard})',
    says: 'Limits of one process, inherited by its children.',
    reference: spec('process.rlimits', 'config.md#posix-process'),
  },
  workdir: {
    call: 'chdir("{path}")',
    says: 'Where the program begins; looked at afterwards, it has to lie below the new root.',
    reference: spec('process.cwd', 'config.md#process'),
  },
  findExecutable: {
    call: 'access("{name}", X_OK) along PATH',
    says: 'Looked for before the start, so that a missing program fails the creation and not the start.',
    reference: spec('process.args', 'config.md#process'),
  },
  umask: {
    call: 'umask({mask})',
    says: 'Which rights new files do not get.',
    reference: spec('process.user.umask', 'config.md#posix-platform-user'),
  },
  noNewPrivileges: {
    call: 'prctl(PR_SET_NO_NEW_PRIVS, 1)',
    says: 'From here on no program gives the process more rights than it has, set-user-id or not. There is no way back.',
    reference: spec('noNewPrivileges', 'config.md#linux-process'),
  },
  boundingSet: {
    call: 'prctl(PR_CAPBSET_DROP, …)',
    says: 'What is dropped here cannot come back, whichever program is executed.',
    reference: spec('process.capabilities', 'config.md#linux-process'),
  },
  user: {
    call: 'setgroups({additionalGids}), setresgid({gid}), setresuid({uid})',
    says: 'Becomes the user of the document; capabilities are kept over the change, to be set next.',
    reference: spec('process.user', 'config.md#user'),
  },
  capabilities: {
    call: 'capset({effective}, {permitted}, {inheritable})',
    says: 'The rights of root in pieces. When root executes a program it gets back all that the bounding set leaves.',
    reference: man('capabilities', 7),
  },
  seccomp: {
    call: 'seccomp(SECCOMP_SET_MODE_FILTER, {program})',
    says: 'A small program in the kernel decides on every system call from here on.',
    reference: spec('seccomp', 'config-linux.md#seccomp'),
  },
  awaitStart: {
    call: 'open("exec.fifo", O_WRONLY)',
    says: 'Create and start are two steps: everything exists, and the process waits.',
    reference: spec('lifecycle', 'runtime.md#lifecycle'),
  },
  exec: {
    call: 'execve({args}, {env})',
    says: 'The launcher becomes the program of the document. What was set up stays; nothing of the launcher does.',
    reference: man('execve', 2),
  },
};

const UNKNOWN: Explanation = {
  call: '',
  says: 'An operation that this page does not know yet.',
  reference: spec('lifecycle', 'runtime.md#lifecycle'),
};

export function explain(op: string): Explanation {
  return EXPLANATIONS[op] ?? UNKNOWN;
}

const MAX_ARGUMENT = 90;

/** The call with the planned values in it: `sethostname("web")`. */
export function callText({ op, args }: Pick<PlannedOperation, 'op' | 'args'>): string {
  const { call } = explain(op);
  const values = new Map(args.map(({ name, value }) => [name, value]));
  const text = call.replace(/\{(\w+)\}/g, (_, name: string) => shorten(values.get(name) ?? '—'));
  return text === '' ? op : text;
}

/** What tells this operation from others of its kind: a path, a name, a list. */
export function objectText({ args }: Pick<PlannedOperation, 'args'>): string {
  const telling = ['destination', 'path', 'hostPath', 'name', 'namespaces', 'key', 'kind', 'value', 'uid', 'args'];
  const found = telling.map((name) => args.find((arg) => arg.name === name)?.value).find((value) => value !== undefined);
  return shorten((found ?? '').replace(/["[\]]/g, '').replaceAll(',', ', '));
}

function shorten(text: string): string {
  return text.length > MAX_ARGUMENT ? `${text.slice(0, MAX_ARGUMENT)}…` : text;
}
