/**
 * What `runc spec` writes: a small config.json to start from.
 *
 * Knows: the values people expect in it, for root and for a user without privileges.
 * Does not know: images; what an engine gives its containers is in docker-defaults.ts.
 */
import type { RuntimeSpec, SpecMount } from './runtime-spec.ts';

/** The version of the runtime specification this engine writes and reads. */
export const OCI_VERSION = '1.2.0';

/** In no ambient set, other than in releases of runc before 1.2: the kernel refuses that where nothing is inheritable. */
const CAPABILITIES = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

/** Paths that would show the host, hidden from a container. */
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/sys/firmware',
  '/proc/scsi',
];

const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface DefaultSpecOptions {
  /** For a user without privileges: a user namespace mapping only that user, the host's network and /sys. */
  readonly rootless?: boolean;
  /** Host ids that become 0 inside, for rootless; 0 when absent. */
  readonly hostUid?: number;
  readonly hostGid?: number;
}

/** A fresh document: an interactive `sh` in all ordinary namespaces, on the bundle's `rootfs`, read-only. */
export function defaultSpec(options: DefaultSpecOptions = {}): RuntimeSpec {
  const rootless = options.rootless === true;
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'runc',
    mounts: defaultMounts(rootless),
    linux: {
      ...(rootless
        ? {
            uidMappings: [{ containerID: 0, hostID: options.hostUid ?? 0, size: 1 }],
            gidMappings: [{ containerID: 0, hostID: options.hostGid ?? 0, size: 1 }],
          }
        : { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
      namespaces: (rootless ? ['pid', 'ipc', 'uts', 'mount', 'user'] : ['pid', 'network', 'ipc', 'uts', 'mount']).map((type) => ({ type })),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
    },
  };
}

function defaultMounts(rootless: boolean): SpecMount[] {
  const locked = ['nosuid', 'noexec', 'nodev'];
  // Group 5 (tty) is not mapped for an unprivileged user, so devpts would refuse the option.
  const ptsOptions = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...(rootless ? [] : ['gid=5'])];
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ptsOptions },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...locked, 'mode=1777', 'size=65536k'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: locked },
    // A fresh sysfs needs a network namespace of our own; sharing the host's network, it has to be bound.
    rootless
      ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...locked, 'ro'] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...locked, 'ro'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...locked, 'relatime', 'ro'] },
  ];
}
