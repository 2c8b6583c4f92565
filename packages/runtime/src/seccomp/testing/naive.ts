/**
 * A profile evaluated the slow, obvious way, straight from the document: what every compiled program must agree with.
 *
 * Knows: the rules in the head comment of policy.ts, written a second time and differently.
 * Does not know: instructions or ranges.
 */
import type { SpecSeccomp } from '@slipway/oci';
import type { Architecture } from '../architectures.ts';

type Rule = NonNullable<SpecSeccomp['syscalls']>[number];
type Argument = NonNullable<Rule['args']>[number];

const BASE: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x30000,
  SCMP_ACT_ERRNO: 0x50000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};
const ENOSYS = 0x50000 + 38;

export function evaluateNaively(profile: SpecSeccomp, architecture: Architecture, number: number, args: readonly bigint[]): number {
  if (architecture.name === 'SCMP_ARCH_X86_64' && number >= 0x40000000) return ENOSYS;
  const names = [...architecture.calls].filter(([, value]) => value === number).map(([name]) => name);
  const standard = returnOf(profile.defaultAction, profile.defaultErrnoRet);
  const older = architecture.name === 'SCMP_ARCH_X86' ? OLDER_WAYS : {};
  const all = (profile.syscalls ?? []).flatMap((rule) => [rule, ...rule.names.flatMap((name) => olderRule(rule, older[name], profile))]);
  const rules = all
    .filter((rule) => rule.names.some((name) => names.includes(name)))
    .filter(({ action, errnoRet }) => returnOf(action, errnoRet) !== standard);
  const unconditional = rules.find((rule) => holdsAlways(rule, architecture));
  if (unconditional !== undefined) return returnOf(unconditional.action, unconditional.errnoRet);
  const matching = rules.find((rule) => ruleMatches(rule.args ?? [], args, architecture));
  if (matching !== undefined) return returnOf(matching.action, matching.errnoRet);
  const named = all.flatMap((rule) => rule.names.map((name) => architecture.calls.get(name) ?? -1));
  const isBeyond = number > Math.max(-1, ...named);
  const isPermissive = PERMISSIVE.includes(profile.defaultAction);
  if (isBeyond && named.some((each) => each >= 0) && !isPermissive) return ENOSYS;
  return standard;
}

/** Those that tests use. */
const OLDER_WAYS: Readonly<Record<string, readonly [through: string, selector: number]>> = {
  socket: ['socketcall', 1],
  connect: ['socketcall', 3],
  shmat: ['ipc', 21],
};

const PERMISSIVE = ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'];

function olderRule(rule: Rule, way: readonly [through: string, selector: number] | undefined, { defaultAction }: SpecSeccomp): Rule[] {
  const forbids = PERMISSIVE.includes(defaultAction) && !PERMISSIVE.includes(rule.action);
  if (way === undefined || !(forbids || holdsAlways(rule, { argumentBits: 32 }))) return [];
  return [{ ...rule, names: [way[0]], args: [{ index: 0, value: way[1], op: 'SCMP_CMP_EQ' }] }];
}

function returnOf(action: string, errno = 1): number {
  const base = BASE[action] ?? Number.NaN;
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? base + errno : base;
}

/** Without arguments, or with empty masks. */
function holdsAlways({ args = [] }: Rule, { argumentBits }: Pick<Architecture, 'argumentBits'>): boolean {
  const isIdle = ({ op, value }: Argument) => op === 'SCMP_CMP_MASKED_EQ' && BigInt.asUintN(argumentBits, BigInt(value)) === 0n;
  return new Set(args.map(({ index }) => index)).size < args.length ? args.some(isIdle) : args.every(isIdle);
}

function ruleMatches(conditions: readonly Argument[], args: readonly bigint[], { argumentBits }: Architecture): boolean {
  const indexes = conditions.map(({ index }) => index);
  const repeats = indexes.some((index, at) => indexes.indexOf(index) !== at);
  const results = conditions.map((condition) => conditionHolds(condition, args[condition.index] ?? 0n, argumentBits));
  return repeats ? results.includes(true) : !results.includes(false);
}

function conditionHolds({ op, value, valueTwo = 0 }: Argument, actual: bigint, bits: number): boolean {
  const wanted = BigInt.asUintN(bits, BigInt(value));
  const holds: Readonly<Record<string, boolean>> = {
    SCMP_CMP_NE: actual !== wanted,
    SCMP_CMP_LT: actual < wanted,
    SCMP_CMP_LE: actual <= wanted,
    SCMP_CMP_EQ: actual === wanted,
    SCMP_CMP_GE: actual >= wanted,
    SCMP_CMP_GT: actual > wanted,
    SCMP_CMP_MASKED_EQ: (actual & wanted) === (BigInt(valueTwo) & wanted),
  };
  return holds[op] ?? false;
}
