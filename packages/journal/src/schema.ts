/**
 * Small checks that turn an unknown JSON value into a typed, bounded copy of it.
 *
 * Knows: sizes, counts, types. A checked object has the listed fields and no others, and never a field called `__proto__`.
 * Does not know: any event; those shapes are in validate.ts.
 */

/** Returns a bounded copy of `value`. @throws InvalidValue */
export type Check<T> = (value: unknown, path: string) => T;

/** A value outside its bounds. The message never quotes the value: it is untrusted and may be large. */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
}

interface OptionalField<T> {
  readonly optional: Check<T>;
}

/** One entry for each field of T: a check, or {@link optional} for fields that may be absent. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? OptionalField<Exclude<T[K], undefined>> : Check<T[K]>;
};

export function optional<T>(check: Check<T>): OptionalField<T> {
  return { optional: check };
}

export function fail(path: string, problem: string): never {
  throw new InvalidValue(`${path === '' ? 'event' : path} ${problem}`);
}

/** A string of at most `max` UTF-16 code units. */
export function text(max: number): Check<string> {
  return (value, path) => {
    if (typeof value !== 'string') return fail(path, 'is not a string');
    return value.length <= max ? value : fail(path, `is longer than ${max}`);
  };
}

/** A finite number from `min` to `max`, both allowed. */
export function number(min: number, max: number): Check<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return fail(path, 'is not a number');
    return value >= min && value <= max ? value : fail(path, `is not between ${min} and ${max}`);
  };
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Check<number> {
  const inRange = number(min, max);
  return (value, path) => (Number.isInteger(inRange(value, path)) ? (value as number) : fail(path, 'is not an integer'));
}

export const boolean: Check<boolean> = (value, path) => (typeof value === 'boolean' ? value : fail(path, 'is not true or false'));

export function oneOf<const T extends string>(...allowed: readonly T[]): Check<T> {
  return (value, path) => allowed.find((item) => item === value) ?? fail(path, `is none of ${allowed.join(', ')}`);
}

export function list<T>(item: Check<T>, max: number): Check<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return fail(path, 'is not a list');
    if (value.length > max) return fail(path, `has more than ${max} entries`);
    return value.map((entry, index) => item(entry, `${path}[${index}]`));
  };
}

/** An object used as a map: at most `max` names of at most 128 characters. */
export function record<T>(item: Check<T>, max: number): Check<Readonly<Record<string, T>>> {
  return (value, path) => {
    const entries = Object.entries(plainObject(value, path));
    if (entries.length > max) return fail(path, `has more than ${max} entries`);
    for (const [name] of entries) {
      if (name.length > 128 || name === '__proto__') fail(path, 'has a name that is not allowed');
    }
    // fromEntries defines own properties, so that no name can reach a prototype.
    return Object.fromEntries(entries.map(([name, entry]) => [name, item(entry, `${path}.*`)]));
  };
}

/** An object with these fields; others are left out of the copy. */
export function object<T extends object>(fields: Fields<T>): Check<T> {
  const entries = Object.entries(fields) as ReadonlyArray<readonly [string, Check<unknown> | OptionalField<unknown>]>;
  return (value, path) => {
    const source = plainObject(value, path);
    const copy: Record<string, unknown> = {};
    for (const [name, field] of entries) {
      const entry = Object.hasOwn(source, name) ? source[name] : undefined;
      const at = path === '' ? name : `${path}.${name}`;
      if (typeof field === 'function') copy[name] = field(entry, at);
      else if (entry !== undefined) copy[name] = field.optional(entry, at);
    }
    return copy as T; // every field of T was checked above: Fields<T> leaves none out
  };
}

function plainObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(path, 'is not an object');
  return value as Readonly<Record<string, unknown>>;
}
