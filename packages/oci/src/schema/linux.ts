/**
 * Schema of `linux`: namespaces, id maps, devices, what is hidden. Data.
 *
 * Knows: each field's shape and, in its description, what it makes the kernel do.
 * Does not know: which fields need which namespace (validate-linux.ts).
 */
import { NAMESPACE_TYPES, PERSONALITY_DOMAINS } from '../validate-linux.ts';
import { MEMORY_POLICY_FLAGS, MEMORY_POLICY_MODES } from '../validate-scheduling.ts';
import { RESOURCES_SCHEMA } from './resources.ts';
import { SECCOMP_SCHEMA } from './seccomp.ts';
import { absolutePath, flag, id, integer, list, map, name, object, type SchemaNode, text, when, word } from './shape.ts';

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'];

/** One id map; also of a mount. */
export function idMappings(description: string): SchemaNode {
  return list(
    description,
    object('One range of ids; one line of the map.', {
      required: {
        containerID: id('First id inside.'),
        hostID: id('First id outside, in the runtime’s user namespace.'),
        size: integer('How many ids.', { minimum: 1, maximum: 4_294_967_295, examples: [65_536] }),
      },
    }),
    { maxItems: 340 },
  );
}

const NAMESPACE = object(
  'One namespace: a new one, or with `path` one that exists. Compare the links in /proc/PID/ns with those of your shell.',
  {
    required: {
      type: word(
        'What is seen apart: clone3(2) with CLONE_NEW… makes it, setns(2) joins it. A type that is not listed is shared with the runtime.',
        NAMESPACE_TYPES,
      ),
    },
    optional: {
      path: text('File of a namespace to join, such as /proc/42/ns/net: setns(2). Absent: a new one.', {
        maxLength: 4095,
        pattern: '^(/[^\\u0000]*)?$',
        patternErrorMessage: 'is not an absolute path',
      }),
    },
  },
);

const DEVICE = object(
  'A device node inside: mknod(2), or in a user namespace a bind of the host’s node. Whether it can be opened is a device rule’s matter.',
  {
    required: {
      type: word('c or u: character, b: block, p: named pipe.', ['c', 'b', 'u', 'p']),
      path: absolutePath('Where, inside the container.', { examples: ['/dev/fuse'] }),
    },
    optional: {
      major: integer('Major number: which driver. Needed for all but p.', { minimum: 0, maximum: 4095 }),
      minor: integer('Minor number: which of the driver’s. Needed for all but p.', { minimum: 0, maximum: 1_048_575 }),
      fileMode: integer('Permissions, decimal: 438 is 0666.', { minimum: 0, maximum: 0o177_777, examples: [438] }),
      uid: id('Owner, as seen inside.'),
      gid: id('Group, as seen inside.'),
    },
  },
  when(
    { properties: { type: { enum: ['c', 'b', 'u'] } }, required: ['type'] },
    { required: ['major', 'minor'], properties: { major: { type: 'integer' }, minor: { type: 'integer' } } },
  ),
);

const OFFSET = (clock: string): SchemaNode =>
  object(`What is added to ${clock} inside.`, {
    optional: {
      secs: integer('Whole seconds; may be negative.'),
      nanosecs: integer('Nanoseconds on top.', { minimum: 0, maximum: 999_999_999 }),
    },
  });

const RDT = object('Cache and memory bandwidth of Intel and AMD CPUs, through the resctrl file system.', {
  optional: {
    closID: text('Name of the class of service: a directory of /sys/fs/resctrl.'),
    schemata: list('Lines written to the class’s `schemata` file as they stand.', name('One line.')),
    l3CacheSchema: text('Line for the third-level cache in `schemata`.', { examples: ['L3:0=7f0;1=1f'] }),
    memBwSchema: text('Line for memory bandwidth in `schemata`.', { examples: ['MB:0=20;1=70'] }),
    enableMonitoring: flag('Whether a monitoring group of the container’s own is made below the class’s mon_groups.'),
  },
});

export const LINUX_SCHEMA = object('What only Linux has.', {
  optional: {
    namespaces: list('Namespaces of the container: what it sees apart from the host.', NAMESPACE),
    uidMappings: idMappings('User ids of a new user namespace; written to /proc/PID/uid_map.'),
    gidMappings: idMappings('Group ids of a new user namespace; written to /proc/PID/gid_map.'),
    timeOffsets: object('Clocks of a new time namespace; written to /proc/PID/timens_offsets.', {
      optional: { monotonic: OFFSET('CLOCK_MONOTONIC'), boottime: OFFSET('CLOCK_BOOTTIME (uptime)') },
    }),
    devices: list('Device nodes beyond those every container has (null, zero, full, random, urandom, tty).', DEVICE),
    netDevices: map(
      'Network interfaces of the runtime that move into the container’s network namespace: netlink RTM_NEWLINK with the namespace’s descriptor.',
      object('One interface.', { optional: { name: text('Its name inside; absent: as outside.') } }),
    ),
    cgroupsPath: text(
      'The container’s cgroup below /sys/fs/cgroup (in each hierarchy on v1). With the systemd driver SLICE:PREFIX:NAME. /proc/PID/cgroup.',
      {
        pattern: '^(?!(.*/)?\\.\\.(/|$))[^\\u0000\\n\\r]*$',
        patternErrorMessage: 'climbs out with "..", or holds a line break',
        examples: ['/lab/web'],
      },
    ),
    resources: RESOURCES_SCHEMA,
    rootfsPropagation: word(
      'Whether mounts made later travel between the root and the host: mount(2) with MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, R for the whole tree.',
      [...PROPAGATIONS, ''],
    ),
    seccomp: SECCOMP_SCHEMA,
    sysctl: map(
      'Kernel settings of the container’s own namespaces; each written to its file below /proc/sys.',
      text('What is written.', {
        pattern: '^[^\\u0000\\n\\r]*$',
        patternErrorMessage: 'holds a line break or a NUL byte',
      }),
      {
        propertyNames: { pattern: '^[a-z0-9_][A-Za-z0-9_@:-]*([./][A-Za-z0-9_@:-]+)+$' },
        examples: [{ 'net.ipv4.ip_unprivileged_port_start': '0' }],
      },
    ),
    maskedPaths: list(
      'Paths hidden from the container: a file under a bind of /dev/null, a directory under an empty read-only tmpfs.',
      absolutePath('One path inside.'),
    ),
    readonlyPaths: list(
      'Paths made read-only: bound onto themselves with MOUNT_ATTR_RDONLY by mount_setattr(2).',
      absolutePath('One path inside.'),
    ),
    mountLabel: text('SELinux context of the container’s file systems: the mount option context=.'),
    intelRdt: RDT,
    memoryPolicy: object('NUMA policy of the process’s memory: set_mempolicy(2).', {
      required: {
        mode: word('Where pages come from.', MEMORY_POLICY_MODES),
      },
      optional: {
        nodes: text('NUMA nodes.', { examples: ['0-1'] }),
        flags: list('Flags of set_mempolicy(2).', word('One flag.', MEMORY_POLICY_FLAGS)),
      },
    }),
    personality: object('Which Linux the program believes to run on: personality(2).', {
      required: { domain: word('LINUX, or LINUX32 for a uname(2) of a 32-bit machine.', PERSONALITY_DOMAINS) },
      optional: { flags: list('Reserved; the specification defines none.', name('A flag.')) },
    }),
  },
});
