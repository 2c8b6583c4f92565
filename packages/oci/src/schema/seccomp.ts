/**
 * Schema of `linux.seccomp`: the filter for system calls. Data.
 *
 * Knows: each field's shape and, in its description, what it makes the kernel do.
 * Does not know: which actions need an errno or an agent (validate-seccomp.ts).
 */
import { SECCOMP_ACTIONS, SECCOMP_ARCHITECTURES, SECCOMP_FLAGS, SECCOMP_OPERATORS } from '../validate-seccomp.ts';
import { integer, list, name, object, type SchemaNode, text, when, word } from './shape.ts';

/** 2^64-1 as JSON's doubles write it. */
const UINT64_MAX = 2 ** 64;

const action = (description: string, extras: object = {}): SchemaNode => word(description, SECCOMP_ACTIONS, extras);
const errno = (description: string): SchemaNode => integer(description, { minimum: 0, maximum: 65_535, examples: [1, 38] });

/** Error numbers end at 4095; only a tracer's message may be larger. */
function boundErrno(action: string, errno: string): Pick<SchemaNode, 'if' | 'then'> {
  return when({ properties: { [action]: { not: { const: 'SCMP_ACT_TRACE' } } } }, { properties: { [errno]: { maximum: 4095 } } });
}

const ARGUMENT = object('A condition on one argument, compared as an unsigned 64-bit number; pointers are compared, never followed.', {
  required: {
    index: integer('Which argument, from 0.', { minimum: 0, maximum: 5 }),
    value: integer('What it is compared with; with SCMP_CMP_MASKED_EQ the mask.', { minimum: 0, maximum: UINT64_MAX }),
    op: word('The comparison.', SECCOMP_OPERATORS),
  },
  optional: { valueTwo: integer('With SCMP_CMP_MASKED_EQ: what the masked argument must equal.', { minimum: 0, maximum: UINT64_MAX }) },
});

const RULE = object(
  'One rule: for these calls, when all conditions on arguments hold, this action.',
  {
    required: {
      names: list('System calls by name; one unknown to this kernel is passed over.', name('A system call.'), { minItems: 1 }),
      action: action('What happens to such a call.'),
    },
    optional: {
      errnoRet: errno('The error number a refused call returns (SCMP_ACT_ERRNO), or the message a tracer gets (SCMP_ACT_TRACE).'),
      args: list('Conditions on arguments; all must hold.', ARGUMENT),
    },
  },
  boundErrno('action', 'errnoRet'),
);

export const SECCOMP_SCHEMA = object(
  'Filter that the kernel runs before every system call: compiled to BPF and installed with seccomp(SECCOMP_SET_MODE_FILTER). `Seccomp:` in /proc/PID/status is then 2.',
  {
    required: {
      defaultAction: action('What happens to a call that no rule names.', { not: { const: 'SCMP_ACT_NOTIFY' } }),
    },
    optional: {
      defaultErrnoRet: errno('The error number for the default action SCMP_ACT_ERRNO; EPERM when absent.'),
      architectures: list(
        'Whose system call numbers are known to the filter; calls of any other architecture end the process.',
        word('An architecture.', SECCOMP_ARCHITECTURES),
      ),
      flags: list('Flags of seccomp(2).', word('One flag.', SECCOMP_FLAGS)),
      listenerPath: text('Unix socket of the agent that answers calls with SCMP_ACT_NOTIFY; the filter’s notify descriptor is sent to it.'),
      listenerMetadata: text('Opaque text that the agent gets along with the descriptor.'),
      syscalls: list('The rules. Of several that fit, the strictest action wins.', RULE, { maxItems: 10_000 }),
    },
  },
  boundErrno('defaultAction', 'defaultErrnoRet'),
);
