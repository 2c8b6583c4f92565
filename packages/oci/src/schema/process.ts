/**
 * Schema of `process`: what is started, as whom, with which rights. Data.
 *
 * Knows: each field's shape and, in its description, what it makes the kernel do.
 * Does not know: rules between fields (validate-process.ts has them all).
 */
import { CAPABILITY_NAMES } from '../capabilities.ts';
import { RLIMIT_NAMES } from '../rlimits.ts';
import { IO_PRIORITY_CLASSES, SCHEDULER_FLAGS, SCHEDULER_POLICIES } from '../validate-scheduling.ts';
import { absolutePath, flag, id, integer, list, name, object, type SchemaNode, text, word } from './shape.ts';

const capability = (set: string): SchemaNode =>
  list(
    set,
    name('A capability by its kernel name; one that this kernel does not know is passed over with a warning.', {
      pattern: '^CAP_[A-Z_]{1,60}$',
      patternErrorMessage: 'is not a capability; the names look like CAP_NET_ADMIN',
      examples: CAPABILITY_NAMES,
    }),
  );

const CAPABILITIES = object('The five capability sets of the first process: root’s rights in 41 pieces, see `Cap*` in /proc/PID/status.', {
  optional: {
    bounding: capability(
      'Upper bound for everything this process can ever gain by execve; others are dropped with prctl(PR_CAPBSET_DROP). `CapBnd` in /proc/PID/status.',
    ),
    effective: capability('What the kernel checks at each privileged system call; set with capset(2). `CapEff` in /proc/PID/status.'),
    permitted: capability('What the process may switch on in its effective set; set with capset(2). `CapPrm` in /proc/PID/status.'),
    inheritable: capability('What a program file marked with the same capability may keep over execve(2). `CapInh` in /proc/PID/status.'),
    ambient: capability(
      'What an ordinary program keeps over execve(2) without being root; raised with prctl(PR_CAP_AMBIENT). Must be permitted and inheritable too.',
    ),
  },
});

const USER = object('Ids the program runs with, as seen inside the container; setgroups(2), setresgid(2), setresuid(2), in that order.', {
  optional: {
    uid: id('User id: setresuid(2) sets real, effective and saved id. `Uid:` in /proc/PID/status.', { default: 0 }),
    gid: id('Group id: setresgid(2). `Gid:` in /proc/PID/status.', { default: 0 }),
    umask: integer('Permission bits that new files do not get: umask(2). Decimal, so 18 is 0022. `Umask:` in /proc/PID/status.', {
      minimum: 0,
      maximum: 0o777,
      examples: [18],
    }),
    additionalGids: list('Supplementary groups: setgroups(2). `Groups:` in /proc/PID/status.', id('One group id.')),
  },
});

const RLIMIT = object('One resource limit of the process, inherited by its children: prlimit(2), shown in /proc/PID/limits.', {
  required: {
    type: word('Which resource, as getrlimit(2) names it.', RLIMIT_NAMES),
    soft: integer('The limit that counts; the process may raise it up to `hard`. -1 or 18446744073709551615: unlimited.', { minimum: -1 }),
    hard: integer('Ceiling of `soft`; raising it needs CAP_SYS_RESOURCE. -1 or 18446744073709551615: unlimited.', { minimum: -1 }),
  },
});

const SCHEDULER = object('How the kernel’s CPU scheduler treats the process: sched_setattr(2).', {
  required: {
    policy: word('Scheduling class: ordinary (OTHER, BATCH, IDLE), real-time (FIFO, RR), or with deadlines.', SCHEDULER_POLICIES),
  },
  optional: {
    nice: integer('Niceness for SCHED_OTHER and SCHED_BATCH: -20 gets most, 19 least. Field 19 of /proc/PID/stat.', {
      minimum: -20,
      maximum: 19,
    }),
    priority: integer('Static priority for SCHED_FIFO and SCHED_RR, 1 to 99; 0 for all others.', { minimum: 0, maximum: 99 }),
    flags: list('Flags of sched_setattr(2).', word('One flag.', SCHEDULER_FLAGS)),
    runtime: integer('SCHED_DEADLINE: CPU time in each period, nanoseconds.', { minimum: 0 }),
    deadline: integer('SCHED_DEADLINE: by when after the period’s begin, nanoseconds.', { minimum: 0 }),
    period: integer('SCHED_DEADLINE: length of a period, nanoseconds.', { minimum: 0 }),
  },
});

const IO_PRIORITY = object('Order in which the disk serves the process: ioprio_set(2).', {
  required: {
    class: word('Real-time, best-effort or only when the disk is idle.', IO_PRIORITY_CLASSES),
  },
  optional: { priority: integer('Level within the class, 0 (first) to 7 (last).', { minimum: 0, maximum: 7 }) },
});

const cpuList = (description: string): SchemaNode =>
  text(description, { pattern: '^[0-9, -]*$', patternErrorMessage: 'is not a list such as "0-3,7"', examples: ['0', '0-1'] });

/** `process` of a config.json, and of the document that `exec --process` takes. */
export const PROCESS_SCHEMA = object(
  'The container’s first process; pid 1 of its pid namespace. Absent: such a container can be created, never started.',
  {
    required: {
      cwd: absolutePath('Directory the program starts in, inside the container: chdir(2) after the root has changed. /proc/PID/cwd.', {
        default: '/',
      }),
      args: list(
        'Program and its arguments, handed to execve(2) as they are; no shell reads them. /proc/PID/cmdline.',
        text('One argument.'),
        {
          minItems: 1,
          examples: [['sh', '-c', 'echo hello']],
        },
      ),
    },
    optional: {
      terminal: flag(
        'Whether the process gets a terminal: a pty of the container’s own devpts becomes its standard streams and controlling tty.',
        { default: false },
      ),
      consoleSize: object('Size of that terminal in character cells: ioctl(TIOCSWINSZ).', {
        required: {
          height: integer('Height in rows.', { minimum: 0, maximum: 65_535 }),
          width: integer('Width in columns.', { minimum: 0, maximum: 65_535 }),
        },
      }),
      env: list(
        'Environment, handed to execve(2); nothing is inherited. /proc/PID/environ.',
        name('NAME=value.', {
          pattern: '^[^=\\u0000][^\\u0000]*$',
          patternErrorMessage: 'has no name before "="',
          examples: ['TERM=xterm'],
        }),
      ),
      user: USER,
      capabilities: CAPABILITIES,
      rlimits: list(
        'Resource limits of the process itself (those of the whole container are cgroup limits, below /linux/resources).',
        RLIMIT,
      ),
      noNewPrivileges: flag(
        'Whether execve(2) may never add rights, so set-user-id programs lose their power: prctl(PR_SET_NO_NEW_PRIVS). `NoNewPrivs:` in /proc/PID/status.',
        { default: false },
      ),
      apparmorProfile: text('AppArmor profile that confines the program from its execve on; written to /proc/self/attr/apparmor/exec.'),
      selinuxLabel: text('SELinux context of the program from its execve on; written to /proc/self/attr/exec.'),
      oomScoreAdj: integer(
        'Bias when the kernel is out of memory and picks a victim: -1000 never, 1000 first. Written to /proc/PID/oom_score_adj.',
        {
          minimum: -1000,
          maximum: 1000,
        },
      ),
      scheduler: SCHEDULER,
      ioPriority: IO_PRIORITY,
      execCPUAffinity: object('CPUs for processes that enter later through `exec`: sched_setaffinity(2).', {
        optional: {
          initial: cpuList('While the runtime prepares the process, before it joins the cgroup.'),
          final: cpuList('For the program itself, once it is in the cgroup.'),
        },
      }),
    },
  },
);
