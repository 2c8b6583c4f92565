import { EngineError } from '@slipway/errors';
import { DOCKER_DEFAULTS, planSeccompProfile, SECCOMP_ARCHITECTURES, type SpecSeccomp } from '@slipway/oci';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ArchitectureName, architecture } from './architectures.ts';
import { encodeProgram, Return } from './bpf.ts';
import { compileSeccomp } from './compile.ts';
import { generateProgram } from './generate.ts';
import type { Condition, Policy } from './policy.ts';
import { Interpreter } from './testing/interpreter.ts';
import { evaluateNaively } from './testing/naive.ts';

const MODES: Readonly<Record<string, readonly ArchitectureName[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64'],
};
const ALL_NUMBERS = [
  ...Array.from({ length: 600 }, (_, number) => number),
  0x3fff_ffff,
  0x4000_0000,
  0x4000_0053,
  0x4000_0200,
  0xffff_ffff,
];
const NAMES = [
  'read',
  'write',
  'openat',
  'socket',
  'connect',
  'shmat',
  'ipc',
  'clone',
  'clone3',
  'mount',
  'personality',
  'futex_waitv',
  'socketcall',
  'fstat64',
  'file_setattr',
  'no_such_call',
];
const ENOSYS = Return.errno | 38;

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 4n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n, (1n << 64n) - 1n, 1n << 63n),
);
const action = fc.constantFrom(
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_TRACE',
);
const operator = fc.constantFrom('NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ').map((name) => `SCMP_CMP_${name}`);
const argument = fc.record({ index: fc.nat({ max: 5 }), value: word, valueTwo: word, op: operator });
const rule = fc.record({
  names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
  action: fc.oneof(action, fc.constant('SCMP_ACT_NOTIFY')),
  errnoRet: fc.nat({ max: 4095 }),
  args: fc.array(argument, { maxLength: 4 }),
});
const profiles: fc.Arbitrary<SpecSeccomp> = fc.record({
  defaultAction: action,
  defaultErrnoRet: fc.nat({ max: 4095 }),
  architectures: fc.subarray(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64']),
  syscalls: fc.array(rule, { maxLength: 12 }),
});

/** Values on and beside every constant of the profile's comparisons: where an off-by-one would show. */
function tellingWords(profile: SpecSeccomp): bigint[] {
  const constants = (profile.syscalls ?? []).flatMap(({ args = [] }) =>
    args.flatMap(({ value, valueTwo = 0 }) => [BigInt(value), BigInt(valueTwo)]),
  );
  const near = constants.flatMap((value) => [value - 1n, value, value + 1n, value ^ (1n << 32n)]);
  return [...new Set([0n, ...near])].filter((value) => value >= 0n && value < 1n << 64n);
}

test.each(Object.keys(MODES))('on %s a program says what the document says, for random profiles and calls', (machine) => {
  fc.assert(
    fc.property(
      profiles,
      fc.array(fc.array(word, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
      (profile, randomArgs) => {
        const interpreter = new Interpreter(compileSeccomp(profile, machine).program);
        const telling = tellingWords(profile)
          .slice(0, 24)
          .map((value) => Array<bigint>(6).fill(value));
        for (const [position, name] of (MODES[machine] ?? []).entries()) {
          const mode = architecture(name);
          const isListed = position === 0 || profile.architectures?.includes(name);
          const numbers = NAMES.map((each) => mode.calls.get(each) ?? 599);
          for (const number of [...numbers, ...numbers.map((each) => each + 1), 0x4000_0001]) {
            for (const asked of [...randomArgs, ...telling]) {
              const args = asked.map((value) => BigInt.asUintN(mode.argumentBits, value));
              const { returns } = interpreter.run({ arch: mode.audit, number, args });
              expect(returns).toBe(isListed ? evaluateNaively(profile, mode, number, args) : Return.killProcess);
            }
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

describe('the default profile', () => {
  const profile = planSeccompProfile(DOCKER_DEFAULTS.capabilities);
  const run = (name: ArchitectureName, number: number, args: readonly bigint[] = [0n]) => {
    const machine = name === 'SCMP_ARCH_AARCH64' ? 'arm64' : 'x64';
    return new Interpreter(compileSeccomp(profile, machine).program).run({ arch: architecture(name).audit, number, args });
  };

  test.each(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_AARCH64'] as const)(
    'agrees with the document for every call number of %s',
    (name) => {
      const mode = architecture(name);
      for (const number of ALL_NUMBERS) {
        for (const first of [0n, 8n, 38n, 40n, 0x1_0000_0026n, 0x7e02_0000n, 0x1000_0000n, 0xffff_ffffn]) {
          const args = [first, 0n, 0n, 0n, 0n, 0n];
          expect(run(name, number, args).returns, `call ${number}`).toBe(evaluateNaively(profile, mode, number, args));
        }
      }
    },
    60_000,
  );

  test('decides every call within a few dozen instructions', () => {
    const mode = architecture('SCMP_ARCH_X86_64');
    const steps = [...mode.calls.values()].map((number) => run(mode.name, number).steps);
    expect(Math.max(...steps)).toBeLessThan(20);
    expect(compileSeccomp(profile, 'x64').program.length / 8).toBeLessThan(150);
  });

  test('refuses the socket families of the kernel’s own, whatever the upper half of the register holds', () => {
    const socket = architecture('SCMP_ARCH_X86_64').calls.get('socket') ?? -1;
    const family = (number: bigint) => run('SCMP_ARCH_X86_64', socket, [number]).returns;
    for (const refused of [38n, 40n, (1n << 32n) + 38n, (7n << 40n) + 40n, 48n, 255n]) expect(family(refused)).toBe(Return.errno | 1);
    for (let number = 0n; number < 48n; number++)
      expect(family(number)).toBe(number === 38n || number === 40n ? Return.errno | 1 : Return.allow);
  });

  test('answers ENOSYS for clone3 and for calls newer than itself, EPERM for known ones it denies', () => {
    const mode = architecture('SCMP_ARCH_X86_64');
    const of = (name: string) => run(mode.name, mode.calls.get(name) ?? -1).returns;
    expect(of('clone3')).toBe(ENOSYS);
    expect(run(mode.name, 500).returns).toBe(ENOSYS);
    for (const name of [
      'io_uring_setup',
      'bpf',
      'userfaultfd',
      'perf_event_open',
      'keyctl',
      'add_key',
      'request_key',
      'mount',
      'unshare',
      'setns',
      'kexec_load',
      'init_module',
      'open_by_handle_at',
      'swapon',
      'reboot',
    ]) {
      expect(of(name), name).toBe(Return.errno | 1);
    }
    for (const name of ['read', 'execve', 'ptrace', 'chroot', 'futex_waitv', 'fchmodat2']) expect(of(name), name).toBe(Return.allow);
  });

  test('a capability unlocks its own calls only', () => {
    const admin = new Interpreter(compileSeccomp(planSeccompProfile(['CAP_SYS_ADMIN']), 'x64').program);
    const { calls, audit } = architecture('SCMP_ARCH_X86_64');
    const of = (name: string) => admin.run({ arch: audit, number: calls.get(name) ?? -1, args: [0x1000_0000n] }).returns;
    for (const name of ['mount', 'clone', 'clone3', 'unshare', 'setns']) expect(of(name), name).toBe(Return.allow);
    for (const name of ['init_module', 'reboot', 'chroot', 'keyctl', 'io_uring_setup']) expect(of(name), name).toBe(Return.errno | 1);
  });
});

test('calls of a mode that is not listed end the process', () => {
  const profile: SpecSeccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir'], action: 'SCMP_ACT_ERRNO' }] };
  const interpreter = new Interpreter(compileSeccomp(profile, 'x64').program);
  expect(interpreter.run({ arch: architecture('SCMP_ARCH_X86').audit, number: 39, args: [] }).returns).toBe(Return.killProcess);
  expect(interpreter.run({ arch: 0xc000_00b7, number: 39, args: [] }).returns).toBe(Return.killProcess);
  expect(interpreter.run({ arch: architecture('SCMP_ARCH_X86_64').audit, number: 0x4000_0053, args: [] }).returns).toBe(ENOSYS);
});

test.each<[string, Partial<SpecSeccomp>, string, string]>([
  ['action', { defaultAction: 'SCMP_ACT_MAYBE' }, 'E_SECCOMP_INVALID', '/linux/seccomp/defaultAction'],
  ['architecture', { architectures: ['SCMP_ARCH_PDP11'] }, 'E_SECCOMP_INVALID', '/linux/seccomp/architectures/0'],
  [
    'operator',
    { syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_NEAR' }] }] },
    'E_SECCOMP_INVALID',
    '/linux/seccomp/syscalls/0/args/0/op',
  ],
  [
    'argument',
    { syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] }] },
    'E_SECCOMP_INVALID',
    '/linux/seccomp/syscalls/0/args/0/index',
  ],
  ['default', { defaultAction: 'SCMP_ACT_NOTIFY' }, 'E_SECCOMP_INVALID', '/linux/seccomp/defaultAction'],
  ['flag', { flags: ['SECCOMP_FILTER_FLAG_FAST'] }, 'E_SECCOMP_UNSUPPORTED', '/linux/seccomp/flags/0'],
])('an unknown %s is refused by name', (_what, part, code, subject) => {
  const compile = () => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', ...part }, 'x64');
  expect(compile).toThrow(EngineError);
  expect(compile).toThrow(expect.objectContaining({ code, subject }));
});

test('a filter beyond the kernel’s bound is refused before it is loaded', () => {
  const args = Array.from({ length: 1500 }, (_, value) => ({
    names: ['read'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, op: 'SCMP_CMP_GT' }],
  }));
  expect(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: args }, 'x64')).toThrow(/instructions/);
});

/** Neighbours differ; some of what they say depends on arguments. */
const policies: fc.Arbitrary<Policy> = fc
  .array(
    fc.record({
      width: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 20 }) }),
      otherwise: fc.constantFrom(Return.allow, Return.errno, ENOSYS, Return.killProcess),
      words: fc.oneof({ weight: 6, arbitrary: fc.constant<bigint[]>([]) }, { weight: 1, arbitrary: fc.array(word, { maxLength: 12 }) }),
    }),
    { minLength: 1, maxLength: 400, size: 'max' },
  )
  .map((parts) => {
    let next = 0;
    const ranges = parts.map(({ width, otherwise, words }) => {
      const first = next;
      next += width;
      const cases = words.map((value, index) => ({
        conditions: [{ index: 0, comparison: index % 3 === 0 ? ('GE' as const) : ('EQ' as const), value, mask: (1n << 64n) - 1n }],
        returns: Return.trace + (index % 4),
      }));
      return { first, verdict: { cases, otherwise } };
    });
    return { architecture: architecture('SCMP_ARCH_X86_64'), ranges };
  });

function evaluatePolicy({ ranges }: Policy, number: number, value: bigint): number {
  const { cases, otherwise } = ranges.findLast(({ first }) => first <= number)?.verdict ?? { cases: [], otherwise: -1 };
  const holds = ({ comparison, value: wanted }: Condition) => (comparison === 'EQ' ? value === wanted : value >= wanted);
  return cases.find(({ conditions }) => conditions.every(holds))?.returns ?? otherwise;
}

test('a program says what the policy says, however many ranges and however far its jumps', () => {
  let longest = 0;
  fc.assert(
    fc.property(policies, fc.array(word, { minLength: 1, maxLength: 3 }), (policy, words) => {
      const i386 = architecture('SCMP_ARCH_X86');
      const program = encodeProgram(generateProgram([policy, { ...policy, architecture: i386 }]));
      longest = Math.max(longest, program.length / 8);
      const interpreter = new Interpreter(program);
      const near = policy.ranges.flatMap(({ first }) => [first, first + 1]);
      const telling = policy.ranges.flatMap(({ verdict }) =>
        verdict.cases.flatMap(({ conditions }) => conditions.map(({ value }) => value)),
      );
      for (const [index, number] of [...near, 0xffff_ffff].entries()) {
        for (const value of [...words, telling[index % telling.length] ?? 0n]) {
          const expected = evaluatePolicy(policy, number, value);
          for (const { audit } of [policy.architecture, i386]) {
            expect(interpreter.run({ arch: audit, number, args: [value] }).returns, `${number}(${value})`).toBe(expected);
          }
        }
      }
    }),
    { numRuns: 40 },
  );
  expect(longest).toBeGreaterThan(512);
});

test('what two modes say alike is written once', () => {
  const { audit } = architecture('SCMP_ARCH_X86_64');
  const ranges = Array.from({ length: 100 }, (_, index) => ({
    first: index * 2,
    verdict: { cases: [], otherwise: index % 2 === 0 ? Return.allow : Return.errno },
  }));
  const of = (...names: ArchitectureName[]) => generateProgram(names.map((name) => ({ architecture: architecture(name), ranges })));
  const one = of('SCMP_ARCH_X86_64');
  const both = of('SCMP_ARCH_X86_64', 'SCMP_ARCH_X86');
  expect(both.length).toBe(one.length + 1);
  expect(new Interpreter(encodeProgram(both)).run({ arch: audit, number: 2, args: [] }).returns).toBe(Return.errno);
});

test('a leaf of more than 255 instructions is jumped over correctly', () => {
  const syscalls = Array.from({ length: 120 }, (_, value) => ({
    names: ['read', 'write'],
    action: 'SCMP_ACT_ALLOW',
    // Two words each, which have nothing in common.
    args: [
      { index: 0, value, op: 'SCMP_CMP_EQ' },
      { index: 1, value: value + (value % 2) * 2 ** 32, op: 'SCMP_CMP_NE' },
    ],
  }));
  const profile: SpecSeccomp = { defaultAction: 'SCMP_ACT_ERRNO', syscalls };
  const interpreter = new Interpreter(compileSeccomp(profile, 'x64').program);
  const mode = architecture('SCMP_ARCH_X86_64');
  for (const number of [0, 1, 2, 3]) {
    for (const value of [0n, 119n, 120n]) {
      expect(interpreter.run({ arch: mode.audit, number, args: [value] }).returns).toBe(evaluateNaively(profile, mode, number, [value]));
    }
  }
});

test('names that no architecture has are reported, and the same document is compiled once', () => {
  const profile: SpecSeccomp = {
    defaultAction: 'SCMP_ACT_ERRNO',
    architectures: ['SCMP_ARCH_X32'],
    syscalls: [{ names: ['read', 'made_up'], action: 'SCMP_ACT_ALLOW' }],
  };
  const first = compileSeccomp(profile, 'x64');
  expect(first.warnings).toEqual(['seccomp: unknown system calls ignored: made_up', 'seccomp: x32 calls stay refused (ENOSYS)']);
  expect(compileSeccomp(structuredClone(profile), 'x64')).toBe(first);
  expect(SECCOMP_ARCHITECTURES).toContain('SCMP_ARCH_X32');
});

test('every call of the tables is either in the default profile or knowingly left out', () => {
  const everything = planSeccompProfile([
    'CAP_BPF',
    'CAP_DAC_READ_SEARCH',
    'CAP_PERFMON',
    'CAP_SYS_ADMIN',
    'CAP_SYS_BOOT',
    'CAP_SYS_CHROOT',
    'CAP_SYS_MODULE',
    'CAP_SYS_NICE',
    'CAP_SYS_PACCT',
    'CAP_SYS_PTRACE',
    'CAP_SYS_RAWIO',
    'CAP_SYS_TIME',
    'CAP_SYS_TTY_CONFIG',
    'CAP_SYSLOG',
  ]);
  const named = new Set((everything.syscalls ?? []).flatMap(({ names }) => names));
  const left = (['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'] as const).flatMap((name) =>
    [...architecture(name).calls.keys()].filter((call) => !named.has(call)),
  );
  expect([...new Set(left)].sort()).toEqual(
    (
      '_sysctl add_key afs_syscall create_module get_kernel_syms getpmsg io_uring_enter io_uring_register io_uring_setup kexec_file_load kexec_load keyctl migrate_pages move_pages ' +
      'nfsservctl pivot_root putpmsg query_module request_key security swapoff swapon sysfs tuxcall uselib userfaultfd ustat vserver'
    ).split(' '),
  );
});
