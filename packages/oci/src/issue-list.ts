/**
 * A walk over an unknown JSON document that notes everything wrong, with the place of each.
 *
 * Knows: JSON pointers, and checks for the shapes documents are made of.
 * Does not know: any particular document.
 *
 * Every check returns the value when it has the shape and undefined otherwise (or when the value is absent and
 * not required), so that a caller can go on with what is sound.
 */
import type { Issue } from '@slipway/errors';

/** Beyond these a document is refused rather than carried through the engine. */
export const LIMITS = {
  /** Issues kept; a document with more is hopeless, and its list must not eat the memory. */
  issues: 200,
  /** Entries of an array or object. */
  entries: 65_536,
  /** UTF-16 units of one string: the kernel's own bound on one argument is 128 KiB. */
  text: 131_072,
} as const;

/** PATH_MAX without its terminating NUL. */
export const PATH_MAX_BYTES = 4095;

/** Largest uid or gid: 2^32-1 means "leave unchanged" to the kernel. */
export const ID_MAX = 4_294_967_294;

export type Json = Readonly<Record<string, unknown>>;

export interface TextRule {
  readonly required?: boolean;
  readonly empty?: 'refused' | 'allowed';
}

export interface IntegerRule {
  readonly required?: boolean;
  readonly min?: number | bigint;
  readonly max?: number | bigint;
}

/** Collects issues below one place of the document. */
export class IssueList {
  readonly #found: Issue[] = [];

  get issues(): readonly Issue[] {
    return this.#found;
  }

  add(path: string, message: string): undefined {
    if (this.#found.length < LIMITS.issues) this.#found.push({ path, message });
    return undefined;
  }

  object(path: string, value: unknown, required = false): Json | undefined {
    if (isAbsent(value)) return this.#absent(path, required);
    if (typeof value !== 'object' || Array.isArray(value)) return this.add(path, `is ${describe(value)}, needs to be an object`);
    if (Object.keys(value as object).length > LIMITS.entries) return this.add(path, `has more than ${LIMITS.entries} entries`);
    return value as Json;
  }

  /** Calls `each` for every element with its pointer. */
  array(path: string, value: unknown, each: (path: string, item: unknown, index: number) => void): readonly unknown[] | undefined {
    if (isAbsent(value)) return undefined;
    if (!Array.isArray(value)) return this.add(path, `is ${describe(value)}, needs to be an array`);
    if (value.length > LIMITS.entries) return this.add(path, `has more than ${LIMITS.entries} entries`);
    for (const [index, item] of value.entries()) each(`${path}/${index}`, item, index);
    return value;
  }

  text(path: string, value: unknown, rule: TextRule = {}): string | undefined {
    if (isAbsent(value)) return this.#absent(path, rule.required === true);
    if (typeof value !== 'string') return this.add(path, `is ${describe(value)}, needs to be a string`);
    if (value.includes('\0')) return this.add(path, 'holds a NUL byte, which no path, argument or name can carry');
    if (value.length > LIMITS.text) return this.add(path, `is longer than ${LIMITS.text} characters`);
    if (value === '' && rule.empty !== 'allowed') return this.add(path, 'is empty');
    return value;
  }

  texts(path: string, value: unknown, rule: TextRule = {}): readonly unknown[] | undefined {
    return this.array(path, value, (at, item) => this.text(at, item, { required: true, ...rule }));
  }

  absolutePath(path: string, value: unknown, required = true): string | undefined {
    const text = this.text(path, value, { required });
    if (text === undefined) return undefined;
    if (!text.startsWith('/')) return this.add(path, `${quote(text)} is not an absolute path`);
    if (Buffer.byteLength(text) > PATH_MAX_BYTES) return this.add(path, `is longer than ${PATH_MAX_BYTES} bytes`);
    return text;
  }

  boolean(path: string, value: unknown, required = false): boolean | undefined {
    if (isAbsent(value)) return this.#absent(path, required);
    return typeof value === 'boolean' ? value : this.add(path, `is ${describe(value)}, needs to be true or false`);
  }

  integer(path: string, value: unknown, rule: IntegerRule = {}): number | bigint | undefined {
    if (isAbsent(value)) return this.#absent(path, rule.required === true);
    const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
    if (!isInteger) return this.add(path, `is ${describe(value)}, needs to be a whole number`);
    if (rule.min !== undefined && value < rule.min) return this.add(path, `is ${value}, needs to be ${rule.min} or more`);
    if (rule.max !== undefined && value > rule.max) return this.add(path, `is ${value}, needs to be ${rule.max} or less`);
    return value;
  }

  oneOf<T extends string>(path: string, value: unknown, words: readonly T[], required = true): T | undefined {
    const text = this.text(path, value, { required });
    if (text === undefined) return undefined;
    const known = words.find((word) => word === text);
    return known ?? this.add(path, `${quote(text)} is not known${words.length <= 20 ? `; known are ${words.join(', ')}` : ''}`);
  }

  #absent(path: string, required: boolean): undefined {
    return required ? this.add(path, 'is missing') : undefined;
  }
}

/** Null counts as absent: Go writers leave it for empty pointers and slices. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

/** A value as it may be shown in a message: JSON-quoted, so control characters are visible, and cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}

/** One member's JSON pointer. */
export function at(path: string, key: string): string {
  return `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'object') return 'an object';
  return String(value);
}
