/**
 * Policies → instructions.
 *
 * Knows: how to find a call's verdict in few comparisons (a binary tree over ranges), and how to compare 64-bit arguments
 *   with a machine that has 32-bit words and forward jumps only.
 * Does not know: where a policy came from.
 *
 *     load arch ─ x86_64? ─▶ load nr ─ tree ─▶ verdicts
 *               ─ i386?   ─▶ load nr ─ tree ─▶ verdicts
 *               ─ else    ─▶ kill
 *
 * Every block ends in a return on all its paths, so blocks can stand one behind another.
 */
import { argumentOffsets, DATA_ARCH, DATA_NUMBER, type Instruction, load, Op, Return, returns } from './bpf.ts';
import type { CallRange, Condition, Policy, Verdict } from './policy.ts';

/** Both jump offsets are bytes. */
const JUMP_MAX = 255;

/** A whole program. A call in a mode that no policy covers kills the process: its numbers mean other calls. */
export function generateProgram(policies: readonly Policy[]): Instruction[] {
  let program: Instruction[] = [returns(Return.killProcess)];
  for (const { architecture, ranges } of policies.toReversed()) {
    const block = [load(DATA_NUMBER), ...tree(ranges)];
    program = [...branch({ code: Op.jumpEqual, k: architecture.audit, whenTrue: block, whenFalse: program })];
  }
  return [load(DATA_ARCH), ...program];
}

/** Halves the ranges until one is left; the accumulator holds the call's number. */
function tree(ranges: readonly CallRange[]): Instruction[] {
  const middle = ranges[ranges.length >> 1];
  if (ranges.length <= 1 || middle === undefined) return verdictBlock(ranges[0]?.verdict);
  const half = ranges.length >> 1;
  return branch({
    code: Op.jumpGreaterOrEqual,
    k: middle.first,
    whenTrue: tree(ranges.slice(half)),
    whenFalse: tree(ranges.slice(0, half)),
  });
}

interface Branch {
  readonly code: number;
  readonly k: number;
  readonly whenTrue: readonly Instruction[];
  readonly whenFalse: readonly Instruction[];
}

/** The false side comes first; a long one is jumped over with a jump of 32 bits. */
function branch({ code, k, whenTrue, whenFalse }: Branch): Instruction[] {
  if (whenFalse.length <= JUMP_MAX) return [{ code, jt: whenFalse.length, jf: 0, k }, ...whenFalse, ...whenTrue];
  const over = { code: Op.jump, jt: 0, jf: 0, k: whenFalse.length };
  return [{ code, jt: 0, jf: 1, k }, over, ...whenFalse, ...whenTrue];
}

function verdictBlock(verdict: Verdict | undefined): Instruction[] {
  const cases = verdict?.cases ?? [];
  return [...cases.flatMap((each) => caseBlock(each.conditions, each.returns)), returns(verdict?.otherwise ?? Return.killProcess)];
}

/** Where a comparison goes on: to the next instruction, to the end of this condition, or out of the case. */
type Goal = 'next' | 'pass' | 'fail';

interface Draft {
  readonly code: number;
  readonly k: number;
  readonly whenTrue: Goal;
  readonly whenFalse: Goal;
}

/** All conditions, then the return; the first that fails jumps behind it. */
function caseBlock(conditions: readonly Condition[], result: number): Instruction[] {
  const drafts = conditions.map(draftCondition);
  const total = drafts.reduce((sum, draft) => sum + draft.length, 0);
  let start = 0;
  const code = drafts.flatMap((draft) => {
    const ends = { pass: start + draft.length, fail: total + 1 };
    const placed = draft.map((step, index) => place(step, start + index, ends));
    start += draft.length;
    return placed;
  });
  return [...code, returns(result)];
}

function place(step: Draft, position: number, ends: { readonly pass: number; readonly fail: number }): Instruction {
  const offset = (goal: Goal) => (goal === 'next' ? 0 : ends[goal] - position - 1);
  return { code: step.code, k: step.k, jt: offset(step.whenTrue), jf: offset(step.whenFalse) };
}

/** A 64-bit comparison is decided by the upper halves, unless they are equal. */
function draftCondition({ index, comparison, value, mask }: Condition): Draft[] {
  const at = argumentOffsets(index);
  const high = Number(value >> 32n);
  const low = Number(value & 0xffff_ffffn);
  const loadHigh = step(Op.load, at.high);
  const loadLow = step(Op.load, at.low);
  switch (comparison) {
    case 'EQ':
      return [loadHigh, step(Op.jumpEqual, high, 'next', 'fail'), loadLow, step(Op.jumpEqual, low, 'next', 'fail')];
    case 'NE':
      return [loadHigh, step(Op.jumpEqual, high, 'next', 'pass'), loadLow, step(Op.jumpEqual, low, 'fail', 'next')];
    case 'GT':
    case 'GE': {
      const last = comparison === 'GT' ? Op.jumpGreater : Op.jumpGreaterOrEqual;
      const upper = [loadHigh, step(Op.jumpGreater, high, 'pass', 'next'), step(Op.jumpEqual, high, 'next', 'fail')];
      return [...upper, loadLow, step(last, low, 'next', 'fail')];
    }
    case 'LT':
    case 'LE': {
      const last = comparison === 'LE' ? Op.jumpGreater : Op.jumpGreaterOrEqual;
      const upper = [loadHigh, step(Op.jumpGreater, high, 'fail', 'next'), step(Op.jumpEqual, high, 'next', 'pass')];
      return [...upper, loadLow, step(last, low, 'fail', 'next')];
    }
    case 'MASKED_EQ':
      return [...maskedHalf(at.high, Number(mask >> 32n), high), ...maskedHalf(at.low, Number(mask & 0xffff_ffffn), low)];
  }
}

/** Nothing to look at where the mask is empty. */
function maskedHalf(offset: number, mask: number, value: number): Draft[] {
  if (mask === 0) return [];
  const masked = mask === 0xffff_ffff ? [] : [step(Op.and, mask)];
  return [step(Op.load, offset), ...masked, step(Op.jumpEqual, value, 'next', 'fail')];
}

function step(code: number, k: number, whenTrue: Goal = 'next', whenFalse: Goal = 'next'): Draft {
  return { code, k, whenTrue, whenFalse };
}
