/**
 * Two plans side by side: which operations came, went or changed their arguments.
 *
 * Knows: that an operation is the same one when its name and the field that asked for it are. Pure. Does not know: what they do.
 */
import type { PlannedOperation, PlannedWrite } from '@slipway/contracts';
import { readValue } from './json-text.ts';

export interface PlanRow {
  readonly operation: PlannedOperation;
  readonly change: 'same' | 'new' | 'gone' | 'changed';
  /** Of a changed one: its arguments before. */
  readonly before?: PlannedOperation;
}

/** Rows in the order of the newer plan; what is gone stands where it was. */
export function diffPlans(before: readonly PlannedOperation[], after: readonly PlannedOperation[]): readonly PlanRow[] {
  const rows: PlanRow[] = [];
  const common = longestCommon(before.map(identity), after.map(identity));
  let old = 0;
  let now = 0;
  for (const [i, j] of [...common, [before.length, after.length] as const]) {
    for (; old < i; old += 1) rows.push({ operation: at(before, old), change: 'gone' });
    for (; now < j; now += 1) rows.push({ operation: at(after, now), change: 'new' });
    if (i === before.length || j === after.length) continue;
    const [was, is] = [at(before, i), at(after, j)];
    rows.push(sameArguments(was, is) ? { operation: is, change: 'same' } : { operation: is, change: 'changed', before: was });
    old = i + 1;
    now = j + 1;
  }
  return rows;
}

/** The plan as it is shown: limits are written before the process joins its cgroup, so they stand there as operations of their own. */
export function withWrites(operations: readonly PlannedOperation[], writes: readonly PlannedWrite[]): readonly PlannedOperation[] {
  const at = operations.findIndex(({ op }) => op === 'joinCgroup');
  const rows = writes.map(
    ({ pointer, path, value }, index): PlannedOperation => ({
      index: operations.length + index,
      op: 'writeLimit',
      phase: 'identity',
      pointer,
      reason: 'limits hold from the first instruction: they are written before the process joins the cgroup',
      args: [
        { name: 'file', value: path },
        { name: 'value', value },
      ],
      plannedAt: [],
    }),
  );
  return at < 0 ? [...operations, ...rows] : [...operations.slice(0, at), ...rows, ...operations.slice(at)];
}

/** Arguments as somebody reads them: what names something stands alone, numbers have their name, switches are named when they are on. */
export function argumentsText({ args }: Pick<PlannedOperation, 'args'>): string {
  return args.flatMap(({ name, value }) => wordsOf(name, value)).join(' ');
}

function wordsOf(name: string, value: string): readonly string[] {
  if (value === 'false') return [];
  if (value === 'true') return [name];
  const number = /^"?(-?\d+)"?$/.exec(value)?.[1];
  if (number !== undefined) return [name === 'value' ? number : `${name}=${number}`];
  if (!/^[[{]/.test(value)) return [value];
  return [setText(value)].filter((text) => text !== '');
}

/** A list with commas; of an object what is on, and what has a value. What is shortened is left as it is. */
function setText(value: string): string {
  const set = readValue(value);
  if (Array.isArray(set)) return set.every((item) => typeof item === 'string') ? set.join(',') : value;
  if (typeof set !== 'object' || set === null) return value;
  const entries = Object.entries(set);
  if (entries.some(([, item]) => typeof item === 'object')) return value;
  return entries.flatMap(([key, item]) => wordsOf(key, `${item}`).map((word) => (word === item ? `${key}=${word}` : word))).join(',');
}

function identity({ op, pointer, args }: PlannedOperation): string {
  // Of several for one field (a default's, an empty pointer's) the first argument tells which: a destination, a path, a name.
  return JSON.stringify([op, pointer, pointer === '' ? args[0]?.value : undefined]);
}

function sameArguments(a: PlannedOperation, b: PlannedOperation): boolean {
  return JSON.stringify(a.args) === JSON.stringify(b.args);
}

function at(list: readonly PlannedOperation[], index: number): PlannedOperation {
  const found = list[index];
  if (!found) throw new RangeError(`no operation ${index}`);
  return found;
}

/** Pairs of indexes of a longest common subsequence; plans have some hundred operations, so the plain table does. */
function longestCommon(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const down = lengths[(i + 1) * width + j] ?? 0;
      const right = lengths[i * width + j + 1] ?? 0;
      lengths[i * width + j] = a[i] === b[j] ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1 : Math.max(down, right);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return pairs;
}
