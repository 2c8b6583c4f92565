/**
 * Where other runtimes answer the common suite otherwise than ours, with the reason. The conformance page shows the list.
 *
 * Knows: runc 1.1.5 and crun 1.8.1, as Debian bookworm has them.
 * Does not know: tests; they ask with `differs` and then expect what is said here.
 */
interface Difference {
  readonly runtimes: readonly ('runc' | 'crun')[];
  readonly does: string;
  readonly because: string;
}

export const DIFFERENCES = {
  'dev-link-followed': {
    runtimes: ['runc', 'crun'],
    does: 'with an image whose `/dev` is a link, makes files where the link leads, outside the container',
    because: 'CVE-2026-41579 and CVE-2026-47766; these releases still have them, which makes them the control of our test (A09)',
  },
  'starts-behind-a-dev-link': {
    runtimes: ['runc'],
    does: 'and then starts the container all the same',
    because: 'crun stops at what it finds there',
  },
  'mask-by-image': {
    runtimes: ['runc'],
    does: 'masks a path with whatever the image has at `/dev/null`',
    because: 'CVE-2025-31133; the control of our test (A06)',
  },
  'sysctl-into-image': {
    runtimes: ['runc'],
    does: 'without a mount at `/proc` writes kernel parameters to files that the image has there',
    because: 'CVE-2025-52881 is of this kind; the control of our test (A08)',
  },
  'user-cut-off': {
    runtimes: ['runc', 'crun'],
    does: '`exec --user 4294967296` runs as root',
    because: 'the number is cut off at 32 bits (A12)',
  },
  'cgroup-path-clamped': {
    runtimes: ['runc'],
    does: 'takes a cgroup path with `..` and stays inside the hierarchy',
    because: 'the path is cleaned instead of refused; both are safe',
  },
  'cgroup-path-beside': {
    runtimes: ['runc', 'crun'],
    does: 'with `..` in a cgroup path puts the container beside the group that the path begins with',
    because: 'the path counts as a whole, and the hierarchy is its only bound; the control of our test (A23)',
  },
  'hook-inherits': {
    runtimes: ['runc', 'crun'],
    does: 'gives a hook without `env` every variable of whoever called the runtime',
    because: 'what a document leaves out is the caller’s there; the control of our test (A37)',
  },
  'torn-list': {
    runtimes: ['crun'],
    does: '`list` shows no container as long as the state of one cannot be read',
    because: 'the first state that makes no sense ends it; the control of our test (A33)',
  },
  'one-exit-code': {
    runtimes: ['runc', 'crun'],
    does: 'exits with 1 where ours says 126 (not executable) or 127 (not found)',
    because: 'the engines above them make the difference; the specification has no exit codes',
  },
  'own-words': {
    runtimes: ['crun'],
    does: 'words of its own in errors and tables, also with `--log-format json`',
    because: 'the specification has no command line; ours follows runc',
  },
  'resume-is-quiet': {
    runtimes: ['crun'],
    does: '`resume` of a container that runs is no error',
    because: 'pause and resume are no operations of the specification',
  },
  'unknown-signal-is-zero': {
    runtimes: ['crun'],
    does: '`kill` with a name that is no signal succeeds and sends nothing',
    because: 'what is no name is read as a number',
  },
  'wide-ids': {
    runtimes: ['crun'],
    does: 'takes ids with control characters',
    because: 'it refuses only what could be a path; an id is printed in terminals (A44)',
  },
  'cap-replaces': {
    runtimes: ['crun'],
    does: '`exec --cap` gives the process that capability alone',
    because: 'ours and runc add it to those of the document',
  },
  'agent-without-pid': {
    runtimes: ['crun'],
    does: 'tells the seccomp agent of a further process 0 for the pid of the container',
    because: '`exec` fills in the id and the status alone',
  },
  'withheld-is-refused': {
    runtimes: ['runc', 'crun'],
    does: 'refuses a document with a capability that the runtime itself is denied',
    because: 'the sets go to the kernel as they are written, and it takes none beyond the caller’s',
  },
  'exec-gains-privileges': {
    runtimes: ['crun'],
    does: '`exec` leaves out `noNewPrivileges` of the document',
    because: 'it counts only with the flag of that name (A15)',
  },
  'device-over-file': {
    runtimes: ['runc', 'crun'],
    does: 'puts a device where the root has a file already',
    because: 'what is there is taken for the device, or gives way to it, without a word',
  },
  'no-domainname': {
    runtimes: ['runc'],
    does: 'leaves `domainname` out',
    because: 'the field came with 1.1 of the specification',
  },
  'shared-root-is-not': {
    runtimes: ['runc'],
    does: 'starts a container whose `rootfsPropagation` is shared with a root that is not',
    because: 'the root becomes a mount of its own after the propagation was set',
  },
  'poststart-at-create': {
    runtimes: ['runc'],
    does: 'runs poststart hooks within `create`',
    because: 'before there is anything that runs',
  },
  'hook-states': {
    runtimes: ['crun'],
    does: 'tells hooks a status, a pid and a bundle of its own choice, and runs poststart hooks while startContainer hooks may still run',
    because: 'it says created and starting where the specification says creating and created',
  },
  'hook-failures': {
    runtimes: ['runc', 'crun'],
    does: 'reports no error of `start` when a startContainer hook fails; runc leaves out poststop hooks then',
    because: 'the process that waits runs those hooks, and nobody waits for how they ended',
  },
  'no-features': {
    runtimes: ['crun'],
    does: 'has no `features` command',
    because: 'this release is older than that part of the specification',
  },
  'home-is-set': {
    runtimes: ['runc'],
    does: 'adds `HOME` to the variables of the document',
    because: 'from the image’s user database, which ours leaves to whoever writes the document',
  },
  'old-version-only': {
    runtimes: ['crun'],
    does: 'refuses documents whose `ociVersion` is above 1.0; the suite writes 1.0.2 for it',
    because: 'it compares with the versions it knows',
  },
  'no-nosymfollow': {
    runtimes: ['crun'],
    does: 'refuses the mount option `nosymfollow`',
    because: 'what is no option of its list goes to the file system as data',
  },
  'no-scheduling': {
    runtimes: ['runc', 'crun'],
    does: 'leaves out `scheduler`, `ioPriority` and `execCPUAffinity`',
    because: 'the fields came with 1.1 and later releases of the specification',
  },
  'no-time-namespace': {
    runtimes: ['runc', 'crun'],
    does: 'does not start a container with a time namespace of its own',
    because: 'runc knows them since its release 1.2; crun’s birth breaks off on this kernel',
  },
  'no-personality': {
    runtimes: ['runc'],
    does: 'leaves `personality` out',
    because: 'it knows the field since its release 1.2',
  },
  'poststart-unheard': {
    runtimes: ['crun'],
    does: 'goes on after a poststart hook that failed',
    because: 'nobody looks at how the hook ended',
  },
  'poststop-ends': {
    runtimes: ['runc'],
    does: 'leaves out the poststop hooks after one that failed',
    because: 'the first error ends the list, with a line in the log',
  },
  'devices-without-weight': {
    runtimes: ['runc'],
    does: 'takes a block device without weights',
    because: 'what is absent is passed over',
  },
  'rdma-without-limits': {
    runtimes: ['crun'],
    does: 'takes an RDMA device without limits',
    because: 'on v1 it leaves the whole controller out',
  },
  'no-mount-label': {
    runtimes: ['crun'],
    does: 'takes a mount label on a kernel without SELinux',
    because: 'the label is left out there',
  },
  'no-resctrl': {
    runtimes: ['crun'],
    does: 'takes `intelRdt` on a machine without that file system',
    because: 'this release does not read the field',
  },
  'held-group': {
    runtimes: ['runc', 'crun'],
    does: 'starts a container in a group that already holds another’s process',
    because: 'runc says in its log that it will refuse this one day',
  },
  'zero-tasks': {
    runtimes: ['runc', 'crun'],
    does: 'takes a limit of 0 tasks for none',
    because: 'that is how earlier releases of the specification had it',
  },
  'no-hybrid': {
    runtimes: ['crun'],
    does: 'refuses a host whose v2 hierarchy has controllers beside v1; the suite hides that hierarchy from it',
    because: 'it supports v1, v2, and hybrid without controllers',
  },
  'no-version': {
    runtimes: ['runc'],
    does: 'takes a document without `ociVersion`',
    because: 'it writes a version of its own into the state, and reads none',
  },
  'root-is-bundle': {
    runtimes: ['runc'],
    does: 'takes a root without a path for the bundle directory',
    because: 'an empty path is one relative to the bundle',
  },
  'no-id-mapped-mounts': {
    runtimes: ['runc'],
    does: 'leaves out the mappings of a mount, whatever they are',
    because: 'they came with its release 1.2; the mount is there, with the owners of the disk',
  },
  'filter-without-default': {
    runtimes: ['runc'],
    does: 'starts a process without a filter where the document’s has no default action',
    because: 'a filter without one and without rules is taken for none; the control of our test (A19)',
  },
  'errno-unused': {
    runtimes: ['runc'],
    does: 'takes an error number beside an action that has none',
    because: 'the number is used where an action has one, and not looked at elsewhere',
  },
  'not-checked': {
    runtimes: ['runc', 'crun'],
    does: 'takes a console without width, a resource limit twice, an annotation without key, a device rule or a throttle that lacks a part, a filter rule without calls, metadata without a listener',
    because: 'what is absent is 0, false or empty there, and used as that; of two limits the last one counts',
  },
  'relative-masks': {
    runtimes: ['runc', 'crun'],
    does: 'takes relative masked and read-only paths',
    because: 'both count them from the root; what does not exist is passed over in any case',
  },
  'relative-namespace': {
    runtimes: ['runc', 'crun'],
    does: 'joins the namespace that a relative path leads to from wherever the runtime was called',
    because: 'the path is opened as it stands',
  },
  'no-burst': {
    runtimes: ['runc', 'crun'],
    does: 'leaves out the burst of a quota',
    because: 'the field came with 1.1 of the specification',
  },
  'relative-paths': {
    runtimes: ['crun'],
    does: 'takes a relative working directory and a relative path of a hook',
    because: 'the first counts from the root, the second from wherever crun was called',
  },
  'hook-without-time': {
    runtimes: ['crun'],
    does: 'takes a hook with a timeout of 0',
    because: 'it means without end there',
  },
  'annotations-as-list': {
    runtimes: ['crun'],
    does: 'takes a list for annotations',
    because: 'what is no object is passed over',
  },
  'namespace-twice': {
    runtimes: ['crun'],
    does: 'takes a namespace that is listed twice',
    because: 'the kinds are bits of one number',
  },
  'unknown-propagation': {
    runtimes: ['crun'],
    does: 'takes a `rootfsPropagation` that is no word for one',
    because: 'a word that it does not know adds nothing to its flags',
  },
} as const satisfies Readonly<Record<string, Difference>>;

/** Whether a runtime is one of those that answer otherwise. */
export function differs(under: { readonly kind: 'ours' | 'runc' | 'crun' }, difference: keyof typeof DIFFERENCES): boolean {
  const runtimes: readonly string[] = DIFFERENCES[difference].runtimes;
  return runtimes.includes(under.kind);
}
