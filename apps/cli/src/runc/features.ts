/**
 * `features`: what this runtime can do, for engines that ask before they use it.
 *
 * Knows: the document's shape.
 * Does not know: this host; it describes the program.
 *
 * @spec runtime-spec/features.md
 */
import {
  CAPABILITY_NAMES,
  HOOK_KINDS,
  MEMORY_POLICY_FLAGS,
  MEMORY_POLICY_MODES,
  SECCOMP_ACTIONS,
  SECCOMP_FLAGS,
  SECCOMP_OPERATORS,
} from '@slipway/oci';
import { CLAMP_ANNOTATION } from '@slipway/runtime';
import type { Command } from './context.ts';

/** The newest release whose fields are all acted on or refused by name. */
const NEWEST_READ = '1.3.0';

/** Words of mount options with a meaning here; the same list that parseMountOptions sorts. */
const MOUNT_OPTIONS = [
  ...['async', 'atime', 'bind', 'defaults', 'dev', 'diratime', 'dirsync', 'exec', 'idmap', 'lazytime', 'loud', 'mand', 'noatime', 'nodev'],
  ...['nodiratime', 'noexec', 'nolazytime', 'nomand', 'norelatime', 'nostrictatime', 'nosuid', 'nosymfollow', 'private', 'rbind'],
  ...['relatime', 'ridmap', 'rnodev', 'rnoexec', 'rnosuid', 'ro', 'rprivate', 'rro', 'rshared', 'rslave', 'runbindable', 'rw'],
  ...['shared', 'silent', 'slave', 'strictatime', 'suid', 'symfollow', 'sync', 'unbindable'],
];

/**
 * @spec runtime-spec/features.md#features-document, runtime-spec/features.md#specification-version
 * @spec runtime-spec/features.md#hooks, runtime-spec/features.md#mount-options, runtime-spec/features-linux.md#namespaces
 * @spec runtime-spec/features-linux.md#capabilities, runtime-spec/features-linux.md#seccomp
 * @spec runtime-spec/features-linux.md#mountextensions, runtime-spec/features-linux.md#netdevices
 * @spec runtime-spec/features-linux.md#memorypolicy
 */
export const features: Command = async ({ out }) => {
  out(
    `${JSON.stringify(
      {
        ociVersionMin: '1.0.0',
        ociVersionMax: NEWEST_READ,
        hooks: HOOK_KINDS,
        mountOptions: MOUNT_OPTIONS,
        linux: {
          namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
          capabilities: CAPABILITY_NAMES,
          cgroup: { v1: true, v2: true, systemd: true, systemdUser: false, rdma: true },
          seccomp: {
            enabled: true,
            actions: SECCOMP_ACTIONS,
            operators: SECCOMP_OPERATORS,
            archs: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'],
            knownFlags: SECCOMP_FLAGS,
            supportedFlags: SECCOMP_FLAGS,
          },
          apparmor: { enabled: true },
          selinux: { enabled: false },
          intelRdt: { enabled: false },
          mountExtensions: { idmap: { enabled: true } },
          netDevices: { enabled: true },
          memoryPolicy: { modes: MEMORY_POLICY_MODES, flags: MEMORY_POLICY_FLAGS },
        },
        annotations: {},
        potentiallyUnsafeConfigAnnotations: [CLAMP_ANNOTATION],
      },
      undefined,
      4,
    )}\n`,
  );
  return 0;
};
