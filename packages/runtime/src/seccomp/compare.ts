/**
 * Rules about a call's arguments → instructions.
 *
 * Knows: how arguments of 64 bits are compared by a machine whose words have 32; and that cases which look at one word alike share the
 *   look: what an address family or a personality may be is found as a call's number is, by ranges.
 * Does not know: calls.
 */
import type { Assembler, Place } from './assemble.ts';
import { argumentOffsets, load, Op } from './bpf.ts';
import { decide, type Range } from './decide.ts';
import type { Condition, Verdict } from './policy.ts';

/** `(word at offset & mask) == value`; the mask is not empty. */
interface WordTest {
  readonly offset: number;
  readonly mask: number;
  readonly value: number;
}

interface Case {
  /** All must hold. */
  readonly steps: readonly (WordTest | Condition)[];
  readonly goal: Place;
}

const WORD_MAX = 0xffff_ffff;
/** Cases that become ranges together: a bound on what a document can make us do. */
const MAX_MERGED = 64;

/** Where a call leads that has this verdict. */
export function writeVerdict(assembler: Assembler, { cases, otherwise }: Verdict): Place {
  const standard = assembler.returns(otherwise);
  if (cases.length === 0) return standard;
  const asked = cases.map(({ conditions, returns }) => ({ steps: conditions.flatMap(stepsOf), goal: assembler.returns(returns) }));
  return writeCases(assembler, asked, standard);
}

/** The first case that holds decides. */
function writeCases(assembler: Assembler, cases: readonly Case[], otherwise: Place): Place {
  return groupAlike(cases).reduceRight((next, group) => writeGroup(assembler, group, next), otherwise);
}

/** Equality is a matter of one half and the other; what comes before what is not. */
function stepsOf(condition: Condition): readonly (WordTest | Condition)[] {
  const { comparison, value, mask } = condition;
  if (comparison !== 'EQ' && comparison !== 'MASKED_EQ') return [condition];
  const { high, low } = argumentOffsets(condition.index);
  const whole = comparison === 'EQ';
  return [
    { offset: high, mask: whole ? WORD_MAX : upper(mask), value: upper(value) },
    { offset: low, mask: whole ? WORD_MAX : lower(mask), value: lower(value) },
  ].filter((test) => test.mask !== 0);
}

const upper = (value: bigint) => Number(value >> 32n);
const lower = (value: bigint) => Number(value & 0xffff_ffffn);

/** Neighbours that look at the same word. */
function groupAlike(cases: readonly Case[]): Case[][] {
  const groups: Case[][] = [];
  let lookBefore: string | undefined;
  for (const each of cases) {
    const look = lookOf(each);
    const group = groups.at(-1);
    if (group !== undefined && look !== undefined && look === lookBefore && group.length < MAX_MERGED) group.push(each);
    else groups.push([each]);
    lookBefore = look;
  }
  return groups;
}

/** What several cases can have in common; undefined: nothing. */
function lookOf({ steps }: Case): string | undefined {
  const [first] = steps;
  if (first === undefined || !isWordTest(first)) return undefined;
  if (steps.length > 1) return `${first.offset} ${first.mask} ${first.value}`;
  return isRange(first) ? String(first.offset) : undefined;
}

function isWordTest(step: WordTest | Condition): step is WordTest {
  return 'offset' in step;
}

/** Whatever the lowest bits are: the values that pass follow one another. */
function isRange({ mask }: WordTest): boolean {
  const free = WORD_MAX - mask;
  return (free & (free + 1)) === 0;
}

function writeGroup(assembler: Assembler, group: readonly Case[], otherwise: Place): Place {
  const [{ steps, goal } = { steps: [], goal: otherwise }] = group;
  const [first] = steps;
  if (first === undefined) return goal;
  if (steps.length === 1 && isWordTest(first) && isRange(first)) {
    return assembler.step(load(first.offset), decide(assembler, mergeRanges(group, otherwise)));
  }
  const rest = group.map((each) => ({ ...each, steps: each.steps.slice(1) }));
  return writeStep(assembler, first, { pass: writeCases(assembler, rest, otherwise), fail: otherwise });
}

/** Of cases with one step each, over one word. */
function mergeRanges(cases: readonly Case[], otherwise: Place): Range[] {
  const spans = cases.flatMap(({ steps, goal }) =>
    steps.filter(isWordTest).map(({ mask, value }) => ({ first: value, last: value + (WORD_MAX - mask), goal })),
  );
  const borders = new Set([0, ...spans.flatMap(({ first, last }) => [first, last + 1])].filter((number) => number <= WORD_MAX));
  const goalOf = (number: number) => spans.find(({ first, last }) => first <= number && number <= last)?.goal ?? otherwise;
  return [...borders].sort((a, b) => a - b).map((first) => ({ first, goal: goalOf(first) }));
}

interface Ways {
  readonly pass: Place;
  readonly fail: Place;
}

function writeStep(assembler: Assembler, step: WordTest | Condition, ways: Ways): Place {
  return isWordTest(step) ? writeWordTest(assembler, step, ways) : writeOrder(assembler, step, ways);
}

function writeWordTest(assembler: Assembler, { offset, mask, value }: WordTest, { pass, fail }: Ways): Place {
  if (value === 0 && mask !== WORD_MAX) {
    return assembler.step(load(offset), assembler.test({ code: Op.jumpAnySet, k: mask, whenTrue: fail, whenFalse: pass }));
  }
  const equal = assembler.test({ code: Op.jumpEqual, k: value, whenTrue: pass, whenFalse: fail });
  const masked = mask === WORD_MAX ? equal : assembler.step({ code: Op.and, jt: 0, jf: 0, k: mask }, equal);
  return assembler.step(load(offset), masked);
}

/** What decides where the upper halves are equal, and whether the condition is that this does not hold. */
const LOWER_HALVES = {
  NE: { code: Op.jumpEqual, isNegated: true },
  GT: { code: Op.jumpGreater, isNegated: false },
  LE: { code: Op.jumpGreater, isNegated: true },
  GE: { code: Op.jumpGreaterOrEqual, isNegated: false },
  LT: { code: Op.jumpGreaterOrEqual, isNegated: true },
} as const;

function writeOrder(assembler: Assembler, { index, comparison, value }: Condition, ways: Ways): Place {
  const { code, isNegated } = LOWER_HALVES[comparison as keyof typeof LOWER_HALVES];
  const [whenTrue, whenFalse] = isNegated ? [ways.fail, ways.pass] : [ways.pass, ways.fail];
  const { high, low } = argumentOffsets(index);
  const k = upper(value);
  const lowerHalves = assembler.step(load(low), assembler.test({ code, k: lower(value), whenTrue, whenFalse }));
  const equal = assembler.test({ code: Op.jumpEqual, k, whenTrue: lowerHalves, whenFalse });
  const decided = code === Op.jumpEqual ? equal : assembler.test({ code: Op.jumpGreater, k, whenTrue, whenFalse: equal });
  return assembler.step(load(high), decided);
}
