/**
 * Reading JSON documents that strangers wrote: bounded, and every field's type checked before use.
 *
 * Knows: sizes, nesting and how to collect what is wrong with a document.
 * Does not know: manifests or configs; those use it.
 */
import { EngineError, type Issue } from '@slipway/errors';

/** Largest manifest or index accepted, as registries do. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** Largest image config accepted. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

export type JsonObject = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Decodes one JSON object.
 *
 * @throws EngineError `invalid-argument` / `E_DOCUMENT_INVALID`: larger than `maxBytes`, not UTF-8, not JSON, not an object
 */
export function parseJsonObject(what: string, bytes: Uint8Array, maxBytes: number): JsonObject {
  if (bytes.byteLength > maxBytes) throw invalidDocument(what, [{ path: '', message: `is larger than ${maxBytes} bytes` }]);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw invalidDocument(what, [{ path: '', message: 'is not JSON in UTF-8' }], cause);
  }
  if (!isObject(value)) throw invalidDocument(what, [{ path: '', message: 'is not a JSON object' }]);
  return value;
}

export function invalidDocument(what: string, issues: readonly Issue[], cause?: unknown): EngineError {
  const [first] = issues;
  const place = first === undefined || first.path === '' ? '' : `${first.path} `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  return new EngineError('invalid-argument', `${what}: ${place}${first?.message ?? 'is invalid'}${more}`, {
    code: 'E_DOCUMENT_INVALID',
    op: 'document.parse',
    subject: what,
    issues,
    cause,
  });
}

/** Collects issues while fields are read; `finish` throws when there are any. */
export class FieldReader {
  readonly #what: string;
  readonly #issues: Issue[] = [];

  constructor(what: string) {
    this.#what = what;
  }

  issue(path: string, message: string): void {
    if (this.#issues.length < 100) this.#issues.push({ path, message });
  }

  /** A text field; absent and null are undefined. */
  text(value: unknown, path: string, maxLength = 65_536): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') return void this.issue(path, 'must be a string');
    if (value.length > maxLength) return void this.issue(path, `is longer than ${maxLength} characters`);
    if (value.includes('\0')) return void this.issue(path, 'must not contain a NUL character');
    return value;
  }

  list(value: unknown, path: string, maxLength: number): readonly unknown[] | undefined {
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) return void this.issue(path, 'must be an array');
    if (value.length > maxLength) return void this.issue(path, `has more than ${maxLength} entries`);
    return value;
  }

  texts(value: unknown, path: string, maxLength: number): readonly string[] | undefined {
    const texts = this.list(value, path, maxLength)?.map((item, index) => this.text(item, `${path}/${index}`) ?? '');
    return texts;
  }

  object(value: unknown, path: string): JsonObject | undefined {
    if (value === undefined || value === null) return undefined;
    if (!isObject(value)) return void this.issue(path, 'must be an object');
    return value;
  }

  /** A map of text to text with at most `maxEntries` entries. */
  textMap(value: unknown, path: string, maxEntries = 4096): Readonly<Record<string, string>> | undefined {
    const object = this.object(value, path);
    if (object === undefined) return undefined;
    const entries = Object.entries(object);
    if (entries.length > maxEntries) return void this.issue(path, `has more than ${maxEntries} entries`);
    return Object.fromEntries(entries.map(([key, text]) => [key, this.text(text, `${path}/${key.slice(0, 64)}`) ?? '']));
  }

  /** @throws EngineError `invalid-argument` / `E_DOCUMENT_INVALID` with every issue */
  finish(): void {
    if (this.#issues.length > 0) throw invalidDocument(this.#what, this.#issues);
  }
}
