/**
 * What a check can ask about the requests that a registry in the machine answered, and about pulls, from their spans.
 *
 * Knows: how the registry and the engine write payloads (packages/journal/SPANS.md), and that a payload may be cut short.
 * Does not know: which lab asks.
 */
import type { RegistryAnswer, RegistryRequest } from '@slipway/journal';
import type { Span } from '@slipway/journal/types';
import type { CheckView } from './types.ts';

export interface RegistryVisit {
  readonly request: RegistryRequest;
  readonly answer: RegistryAnswer;
  /** The distribution-spec code, or `CLIENT_GONE`. */
  readonly error?: string;
  readonly atMs: number;
}

/** What the machine's registry was asked since the lesson began, in the order in which requests ended. */
export function registryVisits(view: CheckView): readonly RegistryVisit[] {
  return ended(view, 'registry').flatMap((span): RegistryVisit[] => {
    const [request, answer] = [payload(span.request), payload(span.response)];
    if (request === undefined || answer === undefined) return [];
    const visit = { request: request as unknown as RegistryRequest, answer: answer as unknown as RegistryAnswer, atMs: span.startMs };
    return [{ ...visit, ...(span.error && { error: span.error.code }) }];
  });
}

/** Whether a person with curl asked, not an engine. */
export function isByHand({ request }: RegistryVisit): boolean {
  return request.userAgent?.startsWith('curl/') === true;
}

/** Whether it was answered as asked. */
export function isAnswered({ answer, error }: RegistryVisit): boolean {
  return error === undefined && (answer.status ?? 500) < 300;
}

export interface StoreSpan {
  readonly span: Span;
  readonly request: Readonly<Record<string, unknown>>;
  readonly response: Readonly<Record<string, unknown>>;
}

/** What the engine did for images under this name (`image.pull`, `layer.download` …) and has done, oldest first; failures are left out. */
export function storeSpans(view: CheckView, name: string): readonly StoreSpan[] {
  return ended(view, 'store').flatMap((span) => {
    if (span.name !== name || span.error !== undefined) return [];
    return [{ span, request: payload(span.request) ?? {}, response: payload(span.response) ?? {} }];
  });
}

function ended(view: CheckView, actor: Span['actor']): readonly Span[] {
  return view.events.flatMap((event) =>
    event.type === 'span' && event.span.actor === actor && event.span.endMs !== undefined ? [event.span] : [],
  );
}

function payload(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined; // too long, and cut
  }
}
