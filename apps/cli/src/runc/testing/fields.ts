/**
 * Documents with one field each, what their process says of it, and who passes over the field or refuses it.
 *
 * Knows: the field, the statement, and, by its name in differences.ts, why another runtime does otherwise.
 * Does not know: how a runtime is asked (fields.host.test.ts). The conformance page reads this table, too.
 */
import type { DIFFERENCES } from './differences.ts';
import type { SpecChanges } from './test-runtime.ts';

export interface Field {
  /** Statements of tooling/runtime-spec. */
  readonly proves: readonly string[];
  readonly what: string;
  readonly changes: SpecChanges;
  /** A shell line, and what it prints. */
  readonly line: string;
  readonly says: string;
  readonly difference?: keyof typeof DIFFERENCES;
}

const PROC = { destination: '/proc', type: 'proc', source: 'proc' };
const mounts = (mount: object) => ({ mounts: [PROC, { destination: '/mnt', ...mount }] });
const map = [{ containerID: 0, hostID: 7000, size: 10 }];
const own = ['mount', 'pid', 'ipc', 'uts', 'network'].map((type) => ({ type }));

export const FIELDS: readonly Field[] = [
  {
    proves: ['config.md#linux-mount-options/recursive'],
    what: 'a bind that is read-only all the way down',
    changes: mounts({ type: 'bind', source: '/sys', options: ['rbind', 'rro'] }),
    line: 'grep " /mnt/" /proc/self/mountinfo | grep -c " /mnt[^ ]* rw" || :',
    says: '0\n',
  },
  {
    proves: ['config.md#linux-mount-options/tmpcopyup'],
    what: 'a tmpfs that begins with what the image has',
    changes: { mounts: [PROC, { destination: '/etc', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }] },
    line: 'stat -f -c %T /etc; cat /etc/passwd',
    says: 'tmpfs\nroot:x:0:0:root:/:/bin/sh\n',
  },
  {
    proves: ['config.md#linux-mount-options/nosymfollow'],
    what: 'a mount whose links are not followed',
    changes: mounts({ type: 'tmpfs', source: 'tmpfs', options: ['nosymfollow'] }),
    line: '/bin/busybox ln -s /etc/passwd /mnt/link; cat /mnt/link 2>/dev/null || echo refused',
    says: 'refused\n',
    difference: 'no-nosymfollow',
  },
  {
    proves: ['config.md#linux-mount-options/idmap', 'config.md#linux-mount-options/idmap-own'],
    what: 'a mount that shows other owners, without a user namespace',
    changes: mounts({ type: 'bind', source: '/etc', options: ['bind', 'idmap'], uidMappings: map, gidMappings: map }),
    line: 'stat -c %u:%g /mnt',
    says: '7000:7000\n',
    difference: 'no-id-mapped-mounts',
  },
  {
    proves: ['config.md#process/console-size-ignored'],
    what: 'the size of a console that is not there',
    changes: { process: { terminal: false, consoleSize: { height: 10, width: 20 } } },
    line: '[ -t 0 ] || [ -t 1 ] || echo no terminal',
    says: 'no terminal\n',
  },
  {
    proves: ['config.md#linux-process/scheduler'],
    what: 'a scheduling policy with its nice value',
    changes: { process: { scheduler: { policy: 'SCHED_BATCH', nice: 7 } } },
    line: "/bin/busybox awk '{print $19, $41}' /proc/self/stat",
    says: '7 3\n',
    difference: 'no-scheduling',
  },
  {
    proves: ['config.md#linux-process/io-priority'],
    what: 'a disk priority',
    changes: { process: { ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 } } },
    line: '/bin/busybox ionice -p 1',
    says: 'best-effort: prio 6\n',
    difference: 'no-scheduling',
  },
  {
    proves: ['config-linux.md#namespaces/time', 'config-linux.md#offset-for-time-namespace/offsets'],
    what: 'clocks that are set off',
    changes: { linux: { namespaces: [...own, { type: 'time' }], timeOffsets: { boottime: { secs: 100_000_000 } } } },
    line: "/bin/busybox awk '{print ($1 > 100000000)}' /proc/uptime",
    says: '1\n',
    difference: 'no-time-namespace',
  },
  {
    proves: ['config-linux.md#intelrdt/untouched'],
    what: 'no word of resource control',
    changes: { linux: { namespaces: own } },
    line: 'grep -c resctrl /proc/self/mountinfo || :',
    says: '0\n',
  },
  {
    proves: ['config-linux.md#personality/domain'],
    what: 'the execution domain of a 32-bit machine',
    changes: { linux: { personality: { domain: 'LINUX32' } } },
    line: '/bin/busybox uname -m',
    says: process.arch === 'x64' ? 'i686\n' : 'armv8l\n',
    difference: 'no-personality',
  },
];
