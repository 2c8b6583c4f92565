/**
 * A word's value → where the program goes on, in few comparisons.
 *
 *     numbers   0 ───── 41 ─ 42 ──── 103 ─ 104 ──── 155 ── 163 ───── 212 ─ 213 ────
 *     lead to   allow   ask  allow   deny  allow    deny   allow     deny  allow
 *     parts     └ allow, but 41 asks, 103 denies ─┘ └deny┘ └ allow, but 212 denies ─
 *
 * A single number that differs from what is around it is asked for by itself: one comparison, where two ranges more would be two. The
 * parts that are left are found by halving, each half with as many numbers as the other, since the kernel does not only compile each
 * instruction: it follows the program once for every system call there is, so the length of the ways counts as much as the size.
 *
 * Knows: numbers from 0 to 2^32 - 1. Does not know: what they stand for.
 */
import type { Assembler, Place } from './assemble.ts';
import { Op } from './bpf.ts';

/** From `first` up to the next range's first, or to the end of all numbers. */
export interface Range {
  readonly first: number;
  readonly goal: Place;
}

/** Numbers of one goal, but for single ones. */
interface Part {
  readonly first: number;
  goal: Place;
  /** Holds more than single numbers, whose goal is then the part's. */
  isWide: boolean;
  /** Those of another goal; while there is nothing else, all. */
  singles: Range[];
}

/** More of them would lengthen the way of the part's other numbers more than a part of their own does. */
const MAX_EXCEPTIONS = 4;

/** The accumulator holds the number. `ranges` ascend, and the first of them begins at 0. */
export function decide(assembler: Assembler, ranges: readonly Range[]): Place {
  const parts = partsOf(ranges.filter(({ goal }, index) => goal !== ranges[index - 1]?.goal));
  return halve(assembler, parts, { from: 0, to: parts.length });
}

function partsOf(ranges: readonly Range[]): Part[] {
  const parts: Part[] = [];
  let last: Part | undefined;
  for (const [index, range] of ranges.entries()) {
    const isWide = ranges[index + 1]?.first !== range.first + 1;
    if (last !== undefined && (isWide ? joinWide(last, range) : joinSingle(last, range))) continue;
    last = { first: range.first, goal: range.goal, isWide, singles: isWide ? [] : [range] };
    parts.push(last);
  }
  return parts;
}

/** False where that would be an exception too many. */
function joinSingle(part: Part, single: Range): boolean {
  if (part.isWide && single.goal === part.goal) return true;
  const hasRoom = part.singles.length < MAX_EXCEPTIONS;
  if (hasRoom) part.singles.push(single);
  return hasRoom;
}

/** False where the part has another goal already. */
function joinWide(part: Part, { goal }: Range): boolean {
  if (part.isWide) return part.goal === goal;
  part.singles = part.singles.filter((single) => single.goal !== goal);
  part.goal = goal;
  part.isWide = true;
  return true;
}

interface Slice {
  readonly from: number;
  readonly to: number;
}

/** The later half is written first, so that the earlier one follows its comparison without a jump. */
function halve(assembler: Assembler, parts: readonly Part[], { from, to }: Slice): Place {
  const part = parts[from];
  if (part === undefined) throw new RangeError('no range begins at 0');
  if (to - from === 1) return askForSingles(assembler, part);
  const middle = middleOf(parts, { from, to });
  const whenTrue = halve(assembler, parts, { from: middle, to });
  const whenFalse = halve(assembler, parts, { from, to: middle });
  return assembler.test({ code: Op.jumpGreaterOrEqual, k: parts[middle]?.first ?? 0, whenTrue, whenFalse });
}

/** Where the second half begins: as many numbers before as behind, if that can be. The last part counts for nothing: it has no end. */
function middleOf(parts: readonly Part[], { from, to }: Slice): number {
  const half = ((parts[from]?.first ?? 0) + (parts[to]?.first ?? parts[to - 1]?.first ?? 0)) / 2;
  let middle = from + 1;
  while (middle < to - 1 && centre(parts, middle) <= half) middle++;
  return middle;
}

function centre(parts: readonly Part[], index: number): number {
  return ((parts[index]?.first ?? 0) + (parts[index + 1]?.first ?? 0)) / 2;
}

function askForSingles(assembler: Assembler, { goal, singles }: Part): Place {
  let next = goal;
  for (const single of singles.filter((each) => each.goal !== goal).reverse()) {
    next = assembler.test({ code: Op.jumpEqual, k: single.first, whenTrue: single.goal, whenFalse: next });
  }
  return next;
}
