/** Normative statements of the runtime specification's config-linux.md, but for control groups and seccomp. @see statements.ts */
import type { Chapter } from './statements.ts';

const NO_RDT = 'no machine that this is built or proved on has a resctrl file system';

const RDT_ONLY = 'needs a machine with a resctrl file system';
const NEWER = 'the field came with release 1.3, which no runtime of this Debian follows yet';
const TERMINAL = 'needs somebody at the other end of a terminal, whom the common suite does not have';

export const CONFIG_LINUX: Chapter['statements'] = {
  'default-filesystems/available': { should: 'a container has proc, sysfs, devpts and a tmpfs for shared memory' },

  'namespaces/type': { must: 'a namespace has a type' },
  'namespaces/supported': { should: 'pid, network, mount, ipc, uts, user, cgroup can be asked for' },
  'namespaces/time': { should: 'a time namespace can be asked for' },
  'namespaces/path-absolute': { must: 'the path of a namespace is absolute' },
  'namespaces/path-joined': { must: 'with a path, the process is in that namespace' },
  'namespaces/path-mismatch': { must: 'a path to something else than a namespace of this type is an error' },
  'namespaces/new': { must: 'without a path, the namespace is new' },
  'namespaces/inherited': { must: 'a type that is not listed is the caller’s own namespace' },
  'namespaces/twice': { must: 'a type that is listed twice is an error' },

  'user-namespace-mappings/fields': { must: 'a mapping has containerID, hostID and size' },
  'user-namespace-mappings/applied': { must: 'ids are mapped as the lists say' },
  'user-namespace-mappings/ownership': { should: 'the owners of files stay as they are' },

  'offset-for-time-namespace/offsets': { must: 'the clocks of a time namespace are set off' },

  'devices/available': { must: 'each device of the list is in the container' },
  'devices/fields': { must: 'a device has type and path, and numbers unless it is a pipe' },
  'devices/occupied': { must: 'something else at the path of a device is an error' },
  'devices/unique': {
    should: 'one device is not listed under two paths',
    author: 'two nodes for one device are as good as two links',
  },
  'default-devices/nodes': { must: 'null, zero, full, random, urandom and tty are there without being asked for' },
  'default-devices/console': { must: 'with a terminal, /dev/console is it', untried: TERMINAL },
  'default-devices/ptmx': { must: '/dev/ptmx is that of the container’s own /dev/pts' },

  'network-devices/moved': { must: 'the listed interfaces of the host are in the container', untried: NEWER },
  'network-devices/name-taken': { must: 'a name that is taken there is an error', untried: NEWER },
  'network-devices/template': { must: 'a name with %d is completed there, whatever is taken', untried: NEWER },
  'network-devices/attributes': { must: 'an interface keeps its lasting addresses of global scope', untried: NEWER },
  'network-devices/up': { must: 'an interface is up there', untried: NEWER },
  'network-devices/left-there': { must: 'an interface is not fetched back at the end', untried: NEWER },

  'intelrdt/tasks': { must: 'the process is entered in the class’s directory', refused: NO_RDT, untried: RDT_ONLY },
  'intelrdt/no-filesystem': { must: 'without a resctrl file system it is an error', refused: NO_RDT },
  'intelrdt/untouched': { must: 'without intelRdt, resctrl is left alone' },
  'intelrdt/schemata': { must: 'the schemas are written, in their order', refused: NO_RDT, untried: RDT_ONLY },
  'intelrdt/class': { must: 'a class is made, found or compared as its name and schemas ask', refused: NO_RDT, untried: RDT_ONLY },
  'intelrdt/values': { must: 'a schema has its prefix and no line break', refused: NO_RDT, untried: RDT_ONLY },
  'intelrdt/monitoring': { must: 'a monitoring group is made and taken away with the container', refused: NO_RDT, untried: RDT_ONLY },

  'memory-policy/mode': { must: 'the memory policy is set for the process', untried: NEWER },

  'sysctl/set': { must: 'kernel parameters are set for the container' },

  'rootfs-mount-propagation/value': { must: 'the root has the propagation that is asked for' },
  'rootfs-mount-propagation/unknown': { must: 'another word than the four is an error' },

  'masked-paths/unreadable': { must: 'what is masked cannot be read' },
  'masked-paths/absolute': { must: 'a masked path is absolute' },
  'readonly-paths/read-only': { must: 'what is read-only cannot be written' },
  'readonly-paths/absolute': { must: 'a read-only path is absolute' },

  'mount-label/label': { must: 'mounts have the SELinux context', refused: 'no SELinux in the kernels that this is proved on' },
  'personality/domain': { must: 'the process has the execution domain that is asked for' },
};
