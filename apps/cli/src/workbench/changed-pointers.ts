/**
 * Where two documents differ, as JSON pointers into the second. Pure.
 *
 * Knows: that an entry of a list which only moved has not changed. Does not know: any field.
 */

export function changedPointers(before: unknown, after: unknown, pointer = ''): readonly string[] {
  if (isDeepEqual(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) return changedEntries(before, after, pointer);
  if (!isPlainObject(before) || !isPlainObject(after)) return [pointer];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
    const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (Object.hasOwn(before, key) && Object.hasOwn(after, key)) return changedPointers(before[key], after[key], at);
    return isPlainObject(after[key]) ? leaves(after[key], at) : [at];
  });
}

/** New entries by their place; a list that only lost some is changed as a whole. */
function changedEntries(before: readonly unknown[], after: readonly unknown[], pointer: string): readonly string[] {
  const old = new Set(before.map((entry) => JSON.stringify(entry)));
  const found = after.flatMap((entry, index) => (old.has(JSON.stringify(entry)) ? [] : [`${pointer}/${index}`]));
  return found.length > 0 ? found : [pointer];
}

/** A section that was not there: the fields in it, as deep as they go. */
function leaves(value: unknown, pointer: string): readonly string[] {
  if (!isPlainObject(value) || Object.keys(value).length === 0) return [pointer];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`));
}

function isDeepEqual(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
