/**
 * Reading a client's JSON: every field's type is checked once, here; what is unknown is ignored, as Docker does.
 *
 * Knows: JSON types, and that Go clients send null, 0 and '' for "not set".
 * Does not know: what a field is for.
 */
import { badRequest } from './docker-status.ts';

export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path = '') {
    if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value))) {
      throw badRequest(`${path === '' ? 'the body' : path} must be an object`);
    }
    this.#value = { ...value };
    this.#path = path;
  }

  /** Absent, null and '' are undefined. */
  text(name: string): string | undefined {
    const value = this.#get(name);
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw this.#wrong(name, 'a string');
    return value;
  }

  flag(name: string): boolean {
    const value = this.#get(name) ?? false;
    if (typeof value !== 'boolean') throw this.#wrong(name, 'a boolean');
    return value;
  }

  /** Absent, null and 0 are undefined. */
  number(name: string): number | undefined {
    const value = this.#get(name);
    if (value === undefined || value === 0) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.#wrong(name, 'a whole number');
    return value;
  }

  /** Absent and null are undefined; so that an empty list can be told from none. */
  texts(name: string): readonly string[] | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw this.#wrong(name, 'a list of strings');
    return value;
  }

  textMap(name: string): Readonly<Record<string, string>> {
    const entries = Object.entries(this.map(name));
    if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) throw this.#wrong(name, 'a map of strings');
    return Object.fromEntries(entries);
  }

  map(name: string): Readonly<Record<string, unknown>> {
    const value = this.#get(name) ?? {};
    if (typeof value !== 'object' || Array.isArray(value)) throw this.#wrong(name, 'an object');
    return { ...value };
  }

  /** A list of objects; absent is empty. */
  list(name: string): readonly Fields[] {
    const value = this.#get(name) ?? [];
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list');
    return value.map((item, index) => new Fields(item, `${this.#name(name)}[${index}]`));
  }

  object(name: string): Fields {
    return new Fields(this.#get(name), this.#name(name));
  }

  /** Of the fields that are there, whatever their values. */
  names(): readonly string[] {
    return Object.keys(this.#value);
  }

  /** Whether anything but an empty value (null, false, 0, '', [], {}) was sent. */
  isSet(name: string): boolean {
    const value = this.#get(name);
    if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
    return value !== undefined && value !== false && value !== 0 && value !== '';
  }

  raw(name: string): unknown {
    return this.#get(name);
  }

  #get(name: string): unknown {
    return (Object.hasOwn(this.#value, name) ? this.#value[name] : undefined) ?? undefined;
  }

  #name(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #wrong(name: string, wanted: string): Error {
    return badRequest(`${this.#name(name)} must be ${wanted}`);
  }
}

/** A query parameter that is a Go boolean: present and neither '', 0, false nor no. */
export function queryFlag(value: unknown, absent = false): boolean {
  if (typeof value !== 'string') return absent;
  return !['', '0', 'false', 'no', 'none', 'f', 'n'].includes(value.toLowerCase().trim());
}

/** A query parameter as text; of a repeated one, the last. */
export function queryText(value: unknown): string | undefined {
  const last: unknown = Array.isArray(value) ? value.at(-1) : value;
  return typeof last === 'string' && last !== '' ? last : undefined;
}

/** @throws invalid-argument for what is no whole number */
export function queryNumber(name: string, value: unknown): number | undefined {
  const text = queryText(value);
  if (text === undefined) return undefined;
  if (!/^-?[0-9]{1,12}$/.test(text)) throw badRequest(`invalid value "${text.slice(0, 40)}" for ${name}: must be a whole number`);
  return Number(text);
}

/** A query parameter that may be given several times. */
export function queryTexts(value: unknown): readonly string[] {
  return [value].flat().filter((item) => typeof item === 'string');
}
