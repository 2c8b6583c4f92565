/**
 * config.json as text ⇄ value, without losing 64-bit numbers.
 *
 * Knows: that rlimits and seccomp arguments are uint64, which JSON's usual doubles round (2^64-1 becomes 2^64).
 * Does not know: which values are allowed (validate-spec.ts).
 */
import { EngineError } from '@slipway/errors';
import type { RuntimeSpec, SpecSeccomp } from './runtime-spec.ts';

/** A config.json beyond this is refused before it is parsed: 4 MiB, as much as the largest seccomp profiles and environments need. */
export const SPEC_MAX_BYTES = 4 * 1024 * 1024;

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;
const parseWithSource = JSON.parse as unknown as (text: string, reviver: Reviver) => unknown;
const rawJson: (text: string) => unknown = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON;

/**
 * Parses a document; integers that a double cannot hold come out as bigint.
 *
 * @throws EngineError `invalid-argument` / `E_SPEC_INVALID` for text that is not JSON or is too long
 */
export function parseSpecJson(text: string): unknown {
  if (text.length > SPEC_MAX_BYTES) throw refuse(`config.json is larger than ${SPEC_MAX_BYTES} bytes`);
  try {
    // A reviver visits every value, so it is used only where a long number occurs at all.
    return /[0-9]{16}/.test(text) ? parseWithSource(text, keepInteger) : JSON.parse(text);
  } catch (cause) {
    throw refuse(`config.json is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

/** A container's document is written down by its engine and by its runtime, whole each time. */
const compactTexts = new WeakMap<RuntimeSpec, string>();

/** The document as JSON text, bigints written as plain numbers. It must not change afterwards. */
export function formatSpecJson(spec: RuntimeSpec, indent?: string): string {
  if (indent !== undefined) return format(spec, indent);
  const known = compactTexts.get(spec);
  if (known !== undefined) return known;
  const text = formatCompact(spec);
  compactTexts.set(spec, text);
  return text;
}

/** Of filters, most of a document's text, which most containers have in common. */
const seccompTexts = new WeakMap<SpecSeccomp, string>();

function formatCompact(spec: RuntimeSpec): string {
  const { linux, ...rest } = spec;
  const { seccomp, ...others } = linux ?? {};
  if (seccomp === undefined) return format(spec);
  const text = seccompTexts.get(seccomp) ?? format(seccomp);
  seccompTexts.set(seccomp, text);
  return withMember(format(rest), 'linux', withMember(format(others), 'seccomp', text));
}

/** `object`, an object's text, with one more member. */
function withMember(object: string, name: string, text: string): string {
  return `${object.slice(0, -1)}${object === '{}' ? '' : ','}"${name}":${text}}`;
}

function format(spec: object, indent?: string): string {
  try {
    return JSON.stringify(spec, undefined, indent); // several times as fast, and few documents hold a bigint
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(spec, (_key, value: unknown) => (typeof value === 'bigint' ? rawJson(String(value)) : value), indent);
  }
}

const keepInteger: Reviver = (_key, value, { source }) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined || !/^-?[0-9]+$/.test(source)) return value;
  return BigInt(source);
};

function refuse(message: string, cause?: unknown): EngineError {
  return new EngineError('invalid-argument', message, { code: 'E_SPEC_INVALID', op: 'spec.parse', issues: [{ path: '', message }], cause });
}
