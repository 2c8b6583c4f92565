/**
 * The config.json of a lab machine.
 *
 * Knows: what a machine is made of: namespaces, mounts, limits, what its root may not do.
 * Does not know: where the disk comes from (disk.ts) or how it is started (open-machines.ts). Pure.
 */
import type { RuntimeSpec, SpecDevice, SpecMount, SpecSeccomp } from '@slipway/oci';
import { CAPABILITY_NAMES } from '@slipway/oci';
import { DEVICE_NAMES } from './devices.ts';
import type { MachineLimits } from './machines.ts';

export interface MachineSpecInput {
  readonly id: string;
  /** First host id of the machine's range of 65 536. */
  readonly firstHostId: number;
  /** Host path of the mounted disk: the machine's root directory. */
  readonly rootDirectory: string;
  /** Host path of the tools tree's `usr`. */
  readonly usr: string;
  /** Host path of an OCI layout with the lessons' images; absent: the machine begins without a registry. */
  readonly images?: string;
  /** Host path of the checkout: engine and CLIs are bound in from there. */
  readonly engine: string;
  readonly labDir: string;
  /** Host path of the machine's device nodes (devices.ts). */
  readonly devices: string;
  readonly limits: MachineLimits;
  /** cgroup path of the machine, relative to the host's own. */
  readonly cgroupsPath: string;
}

export const IDS_PER_MACHINE = 65_536;
/** Where {@link MachineSpecInput.labDir} appears inside. */
export const LAB_DIR_INSIDE = '/run/slipway-lab';
/** Where {@link MachineSpecInput.images} appears inside; boot.sh lets the engine's registry serve it. */
const IMAGES_INSIDE = '/srv/images';
const ENGINE_INSIDE = '/usr/lib/slipway';

export function machineSpec(input: MachineSpecInput): RuntimeSpec {
  const idmap = [{ containerID: 0, hostID: input.firstHostId, size: IDS_PER_MACHINE }];
  return {
    ociVersion: '1.2.0',
    hostname: 'lab',
    root: { path: input.rootDirectory },
    process: {
      cwd: '/',
      user: { uid: 0, gid: 0 },
      args: ['/usr/bin/tini', '-s', '--', '/bin/sh', `${ENGINE_INSIDE}/packages/machine/inside/boot.sh`],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LANG=C.UTF-8'],
      capabilities: allCapabilities(),
      noNewPrivileges: false,
    },
    annotations: { 'io.slipway.machine': input.id, 'io.slipway.first-host-id': String(input.firstHostId) },
    mounts: [...kernelMounts(), ...toolMounts(input), ...deviceMounts(input)],
    linux: {
      namespaces: ['user', 'mount', 'pid', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
      uidMappings: idmap,
      gidMappings: idmap,
      cgroupsPath: input.cgroupsPath,
      devices: [] as readonly SpecDevice[],
      resources: {
        memory: { limit: input.limits.memoryBytes },
        cpu: { quota: Math.round(input.limits.cpus * 100_000), period: 100_000 },
        pids: { limit: input.limits.pids },
      },
      seccomp: machineSeccomp(),
    },
  };
}

/** Root of the machine's user namespace may do everything *there*; none of it counts outside. */
function allCapabilities() {
  const all = [...CAPABILITY_NAMES];
  return { bounding: all, effective: all, permitted: all, inheritable: [] as readonly string[], ambient: [] as readonly string[] };
}

/**
 * /proc carries no masks: with parts of it covered, the kernel would refuse a fresh proc in nested namespaces.
 * The user namespace protects what masks would hide.
 */
function kernelMounts(): SpecMount[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', 'rw'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/run', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=755', 'size=65536k'] },
  ];
}

/** Read-only, and shown as root's own through an id-mapped view, so that `ls -l /usr` looks as everywhere. */
function toolMounts({ usr, images, engine, labDir, firstHostId }: MachineSpecInput): SpecMount[] {
  const mappings = [{ containerID: 0, hostID: firstHostId, size: IDS_PER_MACHINE }];
  const readOnly = (destination: string, source: string): SpecMount => ({
    destination,
    source,
    type: 'bind',
    options: ['bind', 'ro', 'nosuid', 'nodev'],
    uidMappings: mappings,
    gidMappings: mappings,
  });
  const parts = ['packages', 'apps', 'node_modules', 'bin'].map((name) => readOnly(`${ENGINE_INSIDE}/${name}`, `${engine}/${name}`));
  return [
    readOnly('/usr', usr),
    ...parts,
    ...(images === undefined ? [] : [readOnly(IMAGES_INSIDE, images)]),
    { destination: LAB_DIR_INSIDE, source: labDir, type: 'bind', options: ['bind', 'nosuid', 'nodev', 'noexec'] },
  ];
}

function deviceMounts({ devices }: MachineSpecInput): SpecMount[] {
  return DEVICE_NAMES.map((name) => ({
    destination: `/dev/${name}`,
    source: `${devices}/${name}`,
    type: 'bind',
    options: ['bind', 'nosuid', 'noexec'],
  }));
}

/**
 * What even the machine's root may not call: kernel interfaces with a long record of bugs that no lesson needs.
 * Everything else stays open, because the subject of the lab is exactly namespaces, mounts and cgroups.
 */
function machineSeccomp(): SpecSeccomp {
  const AF_ALG = 38;
  const AF_VSOCK = 40;
  const refused = ['bpf', 'userfaultfd', 'perf_event_open', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'];
  const ENOSYS = 38;
  const KEYCTL_DESCRIBE = 6;
  /** update, revoke, chown. */
  const KEYCTL_CHANGES = [2, 3, 4];
  const wholeHost = [
    'kexec_load',
    'kexec_file_load',
    'init_module',
    'finit_module',
    'delete_module',
    'open_by_handle_at',
    'swapon',
    'swapoff',
    'reboot',
  ];
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'],
    syscalls: [
      { names: [...refused, ...wholeHost], action: 'SCMP_ACT_ERRNO', errnoRet: 1 },
      // Joining a fresh session keyring and looking at it is all that container runtimes ask for.
      ...[...KEYCTL_CHANGES.map((value) => ({ value, op: 'SCMP_CMP_EQ' })), { value: KEYCTL_DESCRIBE, op: 'SCMP_CMP_GT' }].map(
        (refusal) => ({
          names: ['keyctl'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: ENOSYS,
          args: [{ index: 0, ...refusal }],
        }),
      ),
      { names: ['add_key', 'request_key'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...[AF_ALG, AF_VSOCK].map((family) => ({
        names: ['socket', 'socketpair'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 1,
        args: [{ index: 0, value: family, op: 'SCMP_CMP_EQ' }],
      })),
    ],
  };
}
