/**
 * A span's identity on its way over HTTP: `x-slipway-span: <trace>/<span>`.
 *
 * Knows: how the header is spelled and bounded; what comes from outside is anybody's.
 * Does not know: who sends it, who reads it.
 */
import type { SpanContext } from './tracer.ts';

const SPAN_HEADER = 'x-slipway-span';

/** For requests that belong to this span. */
export function spanHeaders({ trace, id }: SpanContext): Readonly<Record<string, string>> {
  return { [SPAN_HEADER]: `${trace}/${id}` };
}

/** The span that a request belongs to; undefined when the header is absent or malformed. */
export function parentInHeaders(headers: Readonly<Record<string, unknown>>): SpanContext | undefined {
  const value = headers[SPAN_HEADER];
  const [, trace, id] = typeof value === 'string' ? (/^([\w.-]{1,64})\/([\w.-]{1,64})$/.exec(value) ?? []) : [];
  return trace === undefined || id === undefined ? undefined : { trace, id };
}
