/**
 * The default seccomp profile of containers: which system calls they may make, given their capabilities.
 *
 * Knows: calls by purpose, the capability that unlocks a group, and the arguments that are refused.
 * Does not know: call numbers or BPF (packages/runtime/src/seccomp).
 *
 * An allow-list with the meaning of Docker's default one, so that images which run there run here. Stricter in one respect:
 * AF_ALG and AF_VSOCK sockets are refused even when the upper half of the register holds garbage, which the kernel ignores.
 *
 *     refused always (absent below): keyrings, io_uring, userfaultfd, kexec, swap, modify_ldt's kin of obsolete calls
 *     refused without a capability:  CONDITIONAL
 *     refused by argument:           new namespaces through clone, socket families, personalities
 *     answered ENOSYS:               clone3 (its flags lie in memory, where a filter cannot look), calls newer than this list
 */
import type { CapabilityName } from './capabilities.ts';
import type { SpecSeccomp } from './runtime-spec.ts';
import { ALLOWED_SYSCALLS } from './seccomp-allowed.ts';

type Rule = NonNullable<SpecSeccomp['syscalls']>[number];
type Argument = NonNullable<Rule['args']>[number];

const EPERM = 1;
const ENOSYS = 38;

/** Capability → calls that are of no use, and only attack surface, without it. */
const CONDITIONAL: Readonly<Partial<Record<CapabilityName, readonly string[]>>> = {
  CAP_BPF: ['bpf'],
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_PERFMON: ['perf_event_open'],
  CAP_SYS_ADMIN: [
    'bpf',
    'clone',
    'clone3',
    'fanotify_init',
    'fsconfig',
    'fsmount',
    'fsopen',
    'fspick',
    'lookup_dcookie',
    'mount',
    'mount_setattr',
    'move_mount',
    'open_tree',
    'open_tree_attr',
    'perf_event_open',
    'quotactl',
    'quotactl_fd',
    'setdomainname',
    'sethostname',
    'setns',
    'syslog',
    'umount',
    'umount2',
    'unshare',
  ],
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['delete_module', 'finit_module', 'init_module'],
  CAP_SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: ['kcmp', 'pidfd_getfd', 'process_madvise'],
  CAP_SYS_RAWIO: ['ioperm', 'iopl'],
  CAP_SYS_TIME: ['clock_settime', 'clock_settime64', 'settimeofday', 'stime'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
  CAP_SYSLOG: ['syslog'],
};

/** Every CLONE_NEW… flag that clone(2) takes: mount, cgroup, uts, ipc, user, pid, net. */
const CLONE_NAMESPACE_FLAGS = 0x7e02_0000;

/** Linux, UNAME26, ADDR_NO_RANDOMIZE off: the personalities that ordinary programs switch to, and the query. */
const PERSONALITIES = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/**
 * Socket families 0 to 47 but for 38 (AF_ALG) and 40 (AF_VSOCK), as `[mask, value]` on the low 32 bits:
 * the kernel takes the family as an int, so a comparison of all 64 bits could be dodged.
 */
const SOCKET_FAMILIES: readonly (readonly [number, number])[] = [
  [0xffff_ffe0, 0], // 0–31
  [0xffff_fffc, 32], // 32–35
  [0xffff_fffe, 36], // 36, 37
  [0xffff_ffff, 39],
  [0xffff_ffff, 41],
  [0xffff_fffe, 42], // 42, 43
  [0xffff_fffc, 44], // 44–47
];

/**
 * The default profile for a process with these capabilities (its bounding set).
 *
 * Everything not allowed fails with EPERM, so that programs can go on without it. The same capabilities give the same object again, so
 * that whoever compiles it need not read it twice.
 */
export function planSeccompProfile(capabilities: readonly string[]): SpecSeccomp {
  const unlocking = Object.entries(CONDITIONAL).filter(([capability]) => capabilities.includes(capability));
  const key = unlocking.map(([capability]) => capability).join(' ');
  const known = profiles.get(key) ?? profileFor(new Set(unlocking.flatMap(([, calls]) => calls)));
  profiles.set(key, known);
  return known;
}

/** By the capabilities that unlock calls, which most containers have in common. */
const profiles = new Map<string, SpecSeccomp>();

function profileFor(unlocked: ReadonlySet<string>): SpecSeccomp {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'],
    syscalls: [
      allow(ALLOWED_SYSCALLS),
      ...(unlocked.size > 0 ? [allow([...unlocked].toSorted())] : []),
      ...PERSONALITIES.map((value) => allow(['personality'], { index: 0, value, op: 'SCMP_CMP_EQ' })),
      ...SOCKET_FAMILIES.map(([mask, family]) => allow(['socket'], masked(0, mask, family))),
      ...(unlocked.has('clone')
        ? []
        : [
            allow(['clone'], masked(0, CLONE_NAMESPACE_FLAGS, 0)),
            // C libraries fall back to clone when told that clone3 does not exist; EPERM would be final.
            { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
          ]),
    ],
  };
}

function allow(names: readonly string[], arg?: Argument): Rule {
  return { names, action: 'SCMP_ACT_ALLOW', ...(arg === undefined ? {} : { args: [arg] }) };
}

/** `(argument & mask) == value`; the document puts the mask into `value`. */
function masked(index: number, mask: number, value: number): Argument {
  return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}
