/**
 * What spans carry as JSON text, read back for views.
 *
 * Knows: that a payload may be cut off, absent, or written by anybody.
 * Does not know: what any of it means.
 */
import type { Span } from './types.ts';

export type Payload = Readonly<Record<string, unknown>>;

const EMPTY: Payload = Object.freeze({});
const read = new WeakMap<Span, { readonly request: Payload; readonly response: Payload }>();

/** Both payloads of a span as objects; empty where one is none. Read once: a span never changes. */
export function payloadsOf(span: Span): { readonly request: Payload; readonly response: Payload } {
  const known = read.get(span);
  if (known) return known;
  const payloads = { request: parse(span.request), response: parse(span.response) };
  read.set(span, payloads);
  return payloads;
}

function parse(text: string | undefined): Payload {
  if (text === undefined) return EMPTY;
  try {
    const value: unknown = JSON.parse(text);
    return isPayload(value) ? value : EMPTY;
  } catch {
    return EMPTY;
  }
}

export function isPayload(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function numberIn(payload: Payload, name: string): number | undefined {
  const value = payload[name];
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

export function textIn(payload: Payload, name: string): string | undefined {
  const value = payload[name];
  return typeof value === 'string' ? value : undefined;
}

/** Only the objects of a list. */
export function listIn(payload: Payload, name: string): readonly Payload[] {
  const value = payload[name];
  return Array.isArray(value) ? value.filter(isPayload) : [];
}

/** Only the strings of a list. */
export function textsIn(payload: Payload, name: string): readonly string[] {
  const value = payload[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
