/**
 * `features`: what this runtime can do, for engines that ask before they use it.
 *
 * Knows: the document's shape.
 * Does not know: this host; it describes the program.
 *
 * @spec runtime-spec/features.md
 */
import { CAPABILITY_NAMES, OCI_VERSION, SECCOMP_ACTIONS } from '@slipway/oci';
import type { Command } from './context.ts';

/** Words of mount options with a meaning here; the same list that parseMountOptions sorts. */
const MOUNT_OPTIONS = [
  ...['async', 'atime', 'bind', 'defaults', 'dev', 'diratime', 'dirsync', 'exec', 'idmap', 'lazytime', 'loud', 'mand', 'noatime', 'nodev'],
  ...['nodiratime', 'noexec', 'nolazytime', 'nomand', 'norelatime', 'nostrictatime', 'nosuid', 'nosymfollow', 'private', 'rbind'],
  ...['relatime', 'ridmap', 'rnodev', 'rnoexec', 'rnosuid', 'ro', 'rprivate', 'rro', 'rshared', 'rslave', 'runbindable', 'rw'],
  ...['shared', 'silent', 'slave', 'strictatime', 'suid', 'symfollow', 'sync', 'unbindable'],
];

export const features: Command = async ({ out }) => {
  out(
    `${JSON.stringify(
      {
        ociVersionMin: '1.0.0',
        ociVersionMax: OCI_VERSION,
        hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
        mountOptions: MOUNT_OPTIONS,
        linux: {
          namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'user', 'uts'],
          capabilities: CAPABILITY_NAMES,
          cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: false },
          seccomp: { enabled: true, actions: SECCOMP_ACTIONS, archs: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'] },
          apparmor: { enabled: false },
          selinux: { enabled: false },
          intelRdt: { enabled: false },
          mountExtensions: { idmap: { enabled: true } },
        },
        annotations: {},
      },
      undefined,
      4,
    )}\n`,
  );
  return 0;
};
