/**
 * What a Docker-like engine gives a container that asks for nothing special.
 *
 * Knows: the capabilities, mounts, hidden paths and device rules that images were written against.
 * Does not know: how a request changes them (packages/engine).
 */
import type { CapabilityName } from './capabilities.ts';
import type { SpecMount, SpecResources } from './runtime-spec.ts';

const CAPABILITIES: readonly CapabilityName[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** Kernel interfaces that tell about, or reach, the whole host. */
const MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const READONLY_PATHS: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const LOCKED = ['nosuid', 'noexec', 'nodev'] as const;

const MOUNTS: readonly SpecMount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: [...LOCKED] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...LOCKED, 'mode=1777', 'size=67108864'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: [...LOCKED] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...LOCKED, 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...LOCKED, 'ro'] },
];

/**
 * Nothing is allowed but making nodes (which gives no access) and the harmless character devices:
 * null, zero, full, random, urandom, tty, console, ptmx, and every pty.
 */
const DEVICE_RULES: NonNullable<SpecResources['devices']> = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
  { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
  { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/** Defaults of a container, as data; nothing here is changed at run time. */
export const DOCKER_DEFAULTS = {
  capabilities: CAPABILITIES,
  maskedPaths: MASKED_PATHS,
  readonlyPaths: READONLY_PATHS,
  mounts: MOUNTS,
  deviceRules: DEVICE_RULES,
  resources: { devices: DEVICE_RULES } satisfies SpecResources as SpecResources,
  path: 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  namespaces: ['mount', 'network', 'uts', 'pid', 'ipc'],
  oomScoreAdj: 0,
  shmSizeBytes: 67_108_864,
  cpuPeriodUs: 100_000,
} as const;
