/**
 * The schema of a Linux config.json, as an editor uses it: completion, hover texts, and faults at their place while somebody types.
 *
 * Knows: the whole document of runtime-spec 1.3, in JSON Schema draft 2020-12. Each description says what the field does in the kernel
 *   and names the system call or file in which it ends.
 * Does not know: rules between fields; `findSpecIssues` has those too. schema.test.ts proves that both agree on everything else.
 *
 * @spec runtime-spec/config.md
 */
import { OCI_VERSION } from '../default-spec.ts';
import { idMappings, LINUX_SCHEMA } from './linux.ts';
import { PROCESS_SCHEMA } from './process.ts';
import { absolutePath, flag, integer, list, map, name, object, type SchemaNode, text } from './shape.ts';

const MOUNT = object(
  'One mount, made in the order of the list: fsopen(2), fsconfig(2), fsmount(2), move_mount(2), or open_tree(2) for a bind. A line of /proc/PID/mountinfo.',
  {
    required: {
      destination: text('Where, inside the container, from its root; resolved by file descriptor.', { examples: ['/data'] }),
    },
    optional: {
      type: text('File system type as in /proc/filesystems; for a bind `bind`, or anything with the option bind.', {
        examples: ['proc', 'tmpfs', 'sysfs', 'devpts', 'mqueue', 'cgroup', 'bind', 'overlay'],
      }),
      source: text(
        'For a bind: the file or directory outside (absolute, or below the bundle). Else what the file system shows as its device.',
      ),
      options: list(
        'Words as mount(8) takes them: attributes (ro, nosuid, nodev, noexec, relatime), bind or rbind, propagation (private, shared, slave, with r for the whole tree), and data for the file system (size=64m).',
        text('One word.', {
          examples: [
            'ro',
            'rw',
            'nosuid',
            'nodev',
            'noexec',
            'bind',
            'rbind',
            'rprivate',
            'rslave',
            'relatime',
            'size=64m',
            'mode=755',
            'tmpcopyup',
            'rro',
            'idmap',
            'ridmap',
          ],
        }),
      ),
      uidMappings: idMappings('User ids of an id-mapped bind: mount_setattr(2) with MOUNT_ATTR_IDMAP.'),
      gidMappings: idMappings('Group ids of an id-mapped bind: mount_setattr(2) with MOUNT_ATTR_IDMAP.'),
    },
  },
);

const hooks = (description: string): SchemaNode =>
  list(
    description,
    object('One program; it gets the container’s state as JSON on its standard input.', {
      required: { path: absolutePath('The program; execve(2), no shell.') },
      optional: {
        args: list('Its arguments; the first is the name it is called by.', text('One argument.')),
        env: list('Its environment.', name('NAME=value.')),
        timeout: integer('Seconds after which it is ended and counts as failed.', { minimum: 1, maximum: 86_400, examples: [10] }),
      },
    }),
  );

/** The schema, as plain data. */
export const CONFIG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'config.json of an OCI bundle (Linux)',
  ...object('What a runtime makes a container from: a process, a root file system, and what the kernel is to keep apart.', {
    required: {
      ociVersion: name('Version of the runtime specification this document follows.', {
        pattern: '^1\\.[0-9]+\\.[0-9]+([-+][0-9A-Za-z.+-]*)?$',
        patternErrorMessage: 'is not a version 1.x of the specification',
        default: OCI_VERSION,
        examples: ['1.3.0', '1.2.0', '1.1.0', '1.0.2'],
      }),
      root: object('The directory that becomes / by pivot_root(2).', {
        required: { path: name('The directory; absolute, or below the bundle.', { default: 'rootfs' }) },
        optional: {
          readonly: flag(
            'Whether / is read-only: mount_setattr(2) with MOUNT_ATTR_RDONLY. `ro` in the first line of /proc/PID/mountinfo.',
            { default: false },
          ),
        },
      }),
    },
    optional: {
      process: PROCESS_SCHEMA,
      hostname: text('Name that the container’s uts namespace reports by uname(2): sethostname(2). /proc/sys/kernel/hostname inside.', {
        maxLength: 64,
        pattern: '^[^\\u0000\\n\\r]*$',
        patternErrorMessage: 'holds a line break or a NUL byte',
        examples: ['web'],
      }),
      domainname: text('NIS domain name of the uts namespace: setdomainname(2). /proc/sys/kernel/domainname inside.', {
        maxLength: 64,
        pattern: '^[^\\u0000\\n\\r]*$',
        patternErrorMessage: 'holds a line break or a NUL byte',
      }),
      mounts: list('File systems below the root, beyond the root itself.', MOUNT),
      hooks: object('Programs that the runtime runs at points of the container’s life.', {
        optional: {
          prestart: hooks('Former name for hooks after the namespaces exist and before the program; use createRuntime.'),
          createRuntime: hooks('During create, in the runtime’s namespaces, before pivot_root(2).'),
          createContainer: hooks('During create, in the container’s mount namespace, before pivot_root(2).'),
          startContainer: hooks('During start, inside the container, just before execve(2) of the program.'),
          poststart: hooks('After the program has been started, in the runtime’s namespaces.'),
          poststop: hooks('After the container was deleted, in the runtime’s namespaces.'),
        },
      }),
      annotations: map('Free notes; they are kept with the container’s state and change nothing in the kernel.', text('Any text.'), {
        propertyNames: { minLength: 1 },
        examples: [{ 'org.example.note': 'mine' }],
      }),
      linux: LINUX_SCHEMA,
    },
  }),
} as const;
