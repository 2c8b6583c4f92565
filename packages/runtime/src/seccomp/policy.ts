/**
 * A seccomp document → for one architecture, what happens to each call number.
 *
 * Knows: how rules of one call combine, as libseccomp and runc combine them.
 * Does not know: instructions (compile.ts).
 *
 * - A name the architecture lacks is skipped; one that no table has is reported as a warning.
 * - A rule that says what the default says is not there: another one about the same call decides.
 * - A rule without arguments decides its call, whatever rules with arguments say; of several, the first.
 * - Arguments of one rule must all match, unless one index occurs twice: then each is a rule of its own.
 * - Of several rules with arguments the first that matches decides, else the default action.
 * - On 32-bit x86 a rule holds for its call's older way in, too, through `socketcall` or `ipc` with its number (waysTo).
 * - In a mode with arguments of 32 bits, that many of a rule's values count: -1 is written as 64 bits.
 * - Numbers above every call the document names answer ENOSYS rather than a denying default: C libraries then try an
 *   older call, where EPERM would be final. Not so where the default is to let calls through.
 *
 * @spec runtime-spec/config-linux.md#seccomp
 */
import { EngineError } from '@slipway/errors';
import type { SpecSeccomp } from '@slipway/oci';
import { type Architecture, X32_BIT } from './architectures.ts';
import { Return } from './bpf.ts';

type Rule = NonNullable<SpecSeccomp['syscalls']>[number];
type Argument = NonNullable<Rule['args']>[number];

export type Comparison = 'NE' | 'LT' | 'LE' | 'EQ' | 'GE' | 'GT' | 'MASKED_EQ';

/** One comparison of a 64-bit argument. For MASKED_EQ: `(argument & mask) == value`. */
export interface Condition {
  readonly index: number;
  readonly comparison: Comparison;
  readonly value: bigint;
  readonly mask: bigint;
}

/** What becomes of one call: the first case whose conditions all hold, else `otherwise`. Values are seccomp return values. */
export interface Verdict {
  readonly cases: readonly { readonly conditions: readonly Condition[]; readonly returns: number }[];
  readonly otherwise: number;
}

/** From `first` up to the next range's first (or the end of all numbers), one verdict. */
export interface CallRange {
  readonly first: number;
  readonly verdict: Verdict;
}

export interface Policy {
  readonly architecture: Architecture;
  /** Ascending, starting at 0; neighbours differ. */
  readonly ranges: readonly CallRange[];
}

const EPERM = 1;
const ENOSYS = Return.errno | 38;
const UINT64 = (1n << 64n) - 1n;

/** @throws EngineError `invalid-argument` / `E_SECCOMP_INVALID` naming the rule */
export function planPolicy(profile: SpecSeccomp, architecture: Architecture): Policy {
  const verdicts = new VerdictTable(returnValue(profile.defaultAction, profile.defaultErrnoRet, 'defaultAction'));
  for (const [index, rule] of (profile.syscalls ?? []).entries()) {
    addRule(verdicts, { rule, index, returns: returnValue(rule.action, rule.errnoRet, `syscalls/${index}/action`) }, architecture);
  }
  // Kernels without x32 answer so themselves; with it, those numbers would walk round the rules for their 64-bit twins.
  const x32 = architecture.name === 'SCMP_ARCH_X86_64' ? [{ first: X32_BIT, verdict: verdicts.plain(ENOSYS) }] : [];
  return { architecture, ranges: mergeRanges([...verdicts.ranges(), ...x32]) };
}

interface PlacedRule {
  readonly rule: Rule;
  readonly index: number;
  readonly returns: number;
}

/**
 * Nothing where the architecture lacks the call. The older way's own arguments lie in memory, where no filter can look: a rule that
 * looks at them holds there whatever they are where it forbids, and not at all where it allows.
 */
function addRule(verdicts: VerdictTable, { rule, index, returns }: PlacedRule, architecture: Architecture): void {
  const { calls, multiplexed } = architecture;
  const groups = conditionGroups(rule, index).map((group) => group.map((each) => asWide(each, architecture)).filter(isTelling));
  const forbids = letsThrough(verdicts.standard) && !letsThrough(returns);
  const holdsOnOlderWays = forbids || groups.some((each) => each.length === 0);
  for (const name of rule.names) {
    const number = calls.get(name);
    if (number !== undefined) verdicts.add(number, groups, returns);
    const older = holdsOnOlderWays ? multiplexed.get(name) : undefined;
    const through = older && calls.get(older.through);
    if (older === undefined || through === undefined) continue;
    verdicts.add(through, [[{ index: 0, comparison: 'EQ', value: BigInt(older.selector), mask: UINT64 }]], returns);
  }
}

interface GrowingVerdict extends Verdict {
  readonly cases: Verdict['cases'][number][];
}

/** What rules say of the numbers they name. One verdict is one object as long as arguments play no part. */
class VerdictTable {
  readonly standard: number;
  readonly #verdicts: (GrowingVerdict | undefined)[] = [];
  readonly #plain = new Map<number, GrowingVerdict>();

  constructor(standard: number) {
    this.standard = standard;
  }

  plain(returns: number): GrowingVerdict {
    const known = this.#plain.get(returns) ?? { cases: [], otherwise: returns };
    this.#plain.set(returns, known);
    return known;
  }

  add(number: number, groups: readonly (readonly Condition[])[], returns: number): void {
    let verdict = this.#verdicts[number] ?? this.plain(this.standard);
    for (const conditions of returns === this.standard ? [] : groups) {
      if (verdict.otherwise !== this.standard) break;
      if (conditions.length === 0) verdict = this.plain(returns);
      else if (verdict.cases.length === 0) verdict = { cases: [{ conditions, returns }], otherwise: this.standard };
      else verdict.cases.push({ conditions, returns });
    }
    this.#verdicts[number] = verdict;
  }

  /** Every number's; behind the last that a rule names, what calls are answered that are newer than the document. */
  ranges(): CallRange[] {
    const standard = this.plain(this.standard);
    const beyond = this.#verdicts.length === 0 || letsThrough(this.standard) ? standard : this.plain(ENOSYS);
    const known = Array.from(this.#verdicts, (verdict = standard, first) => ({ first, verdict }));
    return [...known, { first: known.length, verdict: beyond }];
  }
}

function mergeRanges(ranges: readonly CallRange[]): CallRange[] {
  return ranges.filter(({ verdict }, index) => verdict !== ranges[index - 1]?.verdict);
}

function letsThrough(standard: number): boolean {
  const action = (standard & 0xffff_0000) >>> 0;
  return action === Return.allow || action === Return.log || action === Return.trace;
}

/** One without conditions: the rule has no arguments. */
function conditionGroups(rule: Rule, ruleIndex: number): (readonly Condition[])[] {
  const conditions = (rule.args ?? []).map((arg, index) => parseCondition(arg, `syscalls/${ruleIndex}/args/${index}`));
  const repeated = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  return repeated ? conditions.map((condition) => [condition]) : [conditions];
}

function asWide(condition: Condition, { argumentBits }: Architecture): Condition {
  const narrow = (value: bigint) => BigInt.asUintN(argumentBits, value);
  return argumentBits === 64 ? condition : { ...condition, value: narrow(condition.value), mask: narrow(condition.mask) };
}

/** An empty mask leaves nothing to compare: the condition always holds. */
function isTelling({ comparison, mask }: Condition): boolean {
  return comparison !== 'MASKED_EQ' || mask !== 0n;
}

const COMPARISONS: ReadonlySet<string> = new Set(['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ']);

function parseCondition(arg: Argument, at: string): Condition {
  const comparison = arg.op.replace(/^SCMP_CMP_/, '');
  if (!COMPARISONS.has(comparison) || comparison === arg.op) throw invalid(`${at}/op`, `unknown operator ${JSON.stringify(arg.op)}`);
  if (!Number.isInteger(arg.index) || arg.index < 0 || arg.index > 5)
    throw invalid(`${at}/index`, `argument index ${arg.index} is not 0 to 5`);
  const value = uint64(arg.value, `${at}/value`);
  if (comparison !== 'MASKED_EQ') return { index: arg.index, comparison: comparison as Comparison, value, mask: UINT64 };
  // The document's first value is the mask; bits of the second outside it could never match, and are dropped as libseccomp does.
  return { index: arg.index, comparison, value: uint64(arg.valueTwo ?? 0, `${at}/valueTwo`) & value, mask: value };
}

function uint64(value: number | bigint, at: string): bigint {
  const exact = typeof value === 'bigint' || Number.isInteger(value) ? BigInt(value) : -1n;
  // 2^64 is what a plain JSON.parse makes of 2^64-1.
  if (exact < 0n || exact > UINT64 + 1n) throw invalid(at, `${value} is not an unsigned 64-bit number`);
  return exact > UINT64 ? UINT64 : exact;
}

/** @see seccomp(2), "return values" */
function returnValue(action: string, errno: number | undefined, at: string): number {
  switch (action) {
    case 'SCMP_ACT_KILL':
    case 'SCMP_ACT_KILL_THREAD':
      return Return.killThread;
    case 'SCMP_ACT_KILL_PROCESS':
      return Return.killProcess;
    case 'SCMP_ACT_TRAP':
      return Return.trap;
    case 'SCMP_ACT_ERRNO':
      return Return.errno | dataOf(errno, at, 4095);
    case 'SCMP_ACT_TRACE':
      return Return.trace | dataOf(errno, at, 65_535);
    case 'SCMP_ACT_ALLOW':
      return Return.allow;
    case 'SCMP_ACT_LOG':
      return Return.log;
    case 'SCMP_ACT_NOTIFY':
      // The agent could not even be handed the filter: every call would wait for it.
      if (at === 'defaultAction') throw invalid(at, 'SCMP_ACT_NOTIFY cannot be the default');
      return Return.notify;
    default:
      throw invalid(at, `unknown action ${JSON.stringify(action)}`);
  }
}

function dataOf(errno: number | undefined, at: string, max: number): number {
  const value = errno ?? EPERM;
  if (!Number.isInteger(value) || value < 0 || value > max) throw invalid(at, `errno ${value} is not 0 to ${max}`);
  return value;
}

export function invalid(at: string, message: string): EngineError {
  return new EngineError('invalid-argument', message, {
    code: 'E_SECCOMP_INVALID',
    op: 'seccomp.compile',
    subject: `/linux/seccomp/${at}`,
    issues: [{ path: `/linux/seccomp/${at}`, message }],
  });
}
