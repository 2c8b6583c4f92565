/**
 * Our filters against libseccomp's, over random profiles and calls.
 *
 * Left out, since libseccomp 2.5 lets calls through there that no rule allows (it mistakes the way from one rule's comparisons to the
 * next one's): several rules with arguments about one call; and rules with arguments on the older way to sockets, where it compares a
 * pointer with what was meant for a number. What such documents say is what testing/naive.ts makes of them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SpecSeccomp } from '@slipway/oci';
import { hostTest } from '@slipway/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type ArchitectureName, architecture } from './architectures.ts';
import { Return } from './bpf.ts';
import { compileSeccomp } from './compile.ts';
import { Interpreter } from './testing/interpreter.ts';

type Rule = NonNullable<SpecSeccomp['syscalls']>[number];

const SOURCE = fileURLToPath(new URL('testing/libseccomp.c', import.meta.url));
const ACTIONS: Readonly<Record<string, number>> = {
  SCMP_ACT_ALLOW: Return.allow,
  SCMP_ACT_ERRNO: Return.errno,
  SCMP_ACT_KILL_PROCESS: Return.killProcess,
  SCMP_ACT_KILL: Return.killThread,
  SCMP_ACT_LOG: Return.log,
  SCMP_ACT_TRAP: Return.trap,
  SCMP_ACT_TRACE: Return.trace,
};
/** As libseccomp counts them, from 1. */
const OPERATORS = ['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((name) => `SCMP_CMP_${name}`);

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: 4n }),
  fc.constantFrom(0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0001n, (1n << 64n) - 1n, 1n << 63n),
);
const argument = fc.record({ index: fc.nat({ max: 2 }), value: word, valueTwo: word, op: fc.constantFrom(...OPERATORS) });

interface Kind {
  readonly names: readonly string[];
  readonly defaults: readonly string[];
  readonly actions: readonly string[];
  readonly maxArguments: number;
}

function profilesOf({ names, defaults, actions, maxArguments }: Kind): fc.Arbitrary<SpecSeccomp> {
  const rule = fc.record({
    names: fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    action: fc.constantFrom(...actions),
    errnoRet: fc.nat({ max: 3 }),
    args: fc.uniqueArray(argument, { maxLength: maxArguments, selector: ({ index }) => index }),
  });
  return fc.record({
    defaultAction: fc.constantFrom(...defaults),
    defaultErrnoRet: fc.nat({ max: 3 }),
    architectures: fc.subarray(['SCMP_ARCH_X86']),
    syscalls: fc.array(rule, { minLength: 1, maxLength: 5 }).map(oneWithArgumentsEach),
  });
}

function oneWithArgumentsEach(rules: Rule[]): Rule[] {
  const seen = new Set<string>();
  const isFirst = (name: string) => !seen.has(name) && seen.add(name) !== undefined;
  return rules.map((rule) => ((rule.args ?? []).length === 0 ? rule : { ...rule, names: rule.names.filter(isFirst) }));
}

function returnOf(action: string, errno = 1): number {
  const base = ACTIONS[action] ?? Number.NaN;
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? base + errno : base;
}

/** The lines that testing/libseccomp.c reads. */
function describeProfile({ defaultAction, defaultErrnoRet, architectures = [], syscalls = [] }: SpecSeccomp): string {
  const argumentsOf = ({ args = [] }: Rule) =>
    [args.length, ...args.flatMap(({ index, op, value, valueTwo = 0 }) => [index, OPERATORS.indexOf(op) + 1, value, valueTwo])].join(' ');
  return [
    `default ${returnOf(defaultAction, defaultErrnoRet)}`,
    ...architectures.map((name) => `arch ${architecture(name as ArchitectureName).audit}`),
    ...syscalls.flatMap((rule) => rule.names.map((name) => `rule ${returnOf(rule.action, rule.errnoRet)} ${name} ${argumentsOf(rule)}`)),
  ].join('\n');
}

/** Values on and beside every constant of the rules, and selectors of socketcall. */
function tellingWords({ syscalls = [] }: SpecSeccomp): bigint[] {
  const constants = syscalls.flatMap(({ args = [] }) => args.flatMap(({ value, valueTwo = 0 }) => [BigInt(value), BigInt(valueTwo)]));
  const near = [0n, 1n, 3n, 21n, ...constants.flatMap((value) => [value - 1n, value, value + 1n])];
  return [...new Set(near)].filter((value) => value >= 0n && value < 1n << 64n);
}

describe('filters say what libseccomp’s say', () => {
  const work = mkdtempSync(join(tmpdir(), 'slipway-libseccomp-'));
  const program = join(work, 'libseccomp');
  beforeAll(() => void execFileSync('cc', ['-Wall', '-Wextra', '-Werror', '-o', program, SOURCE, '-l:libseccomp.so.2']));
  afterAll(() => rmSync(work, { recursive: true }));

  /** Rules that contradict each other on an older way in are refused. */
  function askLibseccomp(input: string): Uint8Array {
    const { status, stdout, stderr } = spawnSync(program, { input });
    fc.pre(!String(stderr).includes('File exists'));
    if (status !== 0) throw new Error(String(stderr));
    return stdout;
  }

  function compare(profile: SpecSeccomp, names: readonly string[]): void {
    const ours = new Interpreter(compileSeccomp(profile, 'x64').program);
    const theirs = new Interpreter(askLibseccomp(describeProfile(profile)));
    const words = tellingWords(profile);
    for (const name of ['SCMP_ARCH_X86_64', ...(profile.architectures ?? [])] as ArchitectureName[]) {
      const { audit, argumentBits, calls } = architecture(name);
      const named = (profile.syscalls ?? []).flatMap((rule) => rule.names.map((each) => calls.get(each) ?? -1));
      // Beyond the last call that a document names, a denying default becomes ENOSYS, by runc's doing and not libseccomp's.
      const numbers = names.map((each) => calls.get(each) ?? -1).filter((number) => number >= 0 && number <= Math.max(...named));
      for (const number of numbers) {
        for (let turn = 0; turn < 40; turn++) {
          const args = [7, 11, 13].map((step) => BigInt.asUintN(argumentBits, words[(turn * step + (turn >> 3)) % words.length] ?? 0n));
          const call = { arch: audit, number, args };
          expect(ours.run(call).returns >>> 0, `${name} ${number}(${args.join(', ')})`).toBe(theirs.run(call).returns >>> 0);
        }
      }
    }
  }

  const all = Object.keys(ACTIONS);
  const KINDS: Readonly<Record<string, Kind>> = {
    'whatever the actions': {
      names: ['read', 'write', 'openat', 'clone', 'mount', 'personality', 'futex_waitv', 'no_such_call'],
      defaults: all,
      actions: all,
      maxArguments: 3,
    },
    'also by the older way to sockets and shared memory': {
      names: ['socket', 'connect', 'shmat', 'read'],
      defaults: all,
      actions: all,
      maxArguments: 0,
    },
  };
  for (const [title, kind] of Object.entries(KINDS)) {
    hostTest(title, ['linux'], async () => {
      const looked = [...kind.names, 'socketcall', 'ipc'];
      fc.assert(
        fc.property(profilesOf(kind), (profile) => compare(profile, looked)),
        { numRuns: 150 },
      );
    });
  }
});
