/**
 * Immutable updates of the world's arrays.
 *
 * Knows: copying a small array costs less than any cleverer structure at these sizes.
 * Does not know: what is in them.
 */

/** `items` with `item` at its end, without the oldest where there would be more than `max`. */
export function pushBounded<T>(items: readonly T[], item: T, max: number): readonly T[] {
  const kept = items.length >= max ? items.slice(items.length - max + 1) : items.slice();
  kept.push(item);
  return kept;
}

/** `items` with `item` in the place of the entry at `index`. */
export function replaceAt<T>(items: readonly T[], index: number, item: T): readonly T[] {
  const copy = items.slice();
  copy[index] = item;
  return copy;
}

/** Deep equality of plain JSON data. */
export function sameData(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length || Array.isArray(a) !== Array.isArray(b)) return false;
  return keys.every((key) => Object.hasOwn(b, key) && sameData(a[key as keyof typeof a], b[key as keyof typeof b]));
}
