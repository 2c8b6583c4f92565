/**
 * One request and its answer, with what every route needs of both.
 *
 * Knows: node:http.
 * Does not know: routes.
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Page, RegistryBackend } from './backend.ts';
import { refuse } from './registry-failure.ts';
import type { Traffic } from './request-record.ts';

export interface Exchange {
  readonly backend: RegistryBackend;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly traffic: Traffic;
}

/** The body as it comes. Whoever stops reading it can still answer: the connection stays. */
export async function* bodyOf({ request, traffic }: Exchange): AsyncGenerator<Buffer> {
  for await (const bytes of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    traffic.receivedBytes += bytes.byteLength;
    yield bytes;
  }
}

/** An answer without body, or with one of JSON. */
export function answer(
  { response, traffic }: Pick<Exchange, 'response' | 'traffic'>,
  status: number,
  headers: OutgoingHttpHeaders,
  json?: unknown,
): void {
  if (json === undefined) {
    response.writeHead(status, status === 204 ? headers : { 'Content-Length': 0, ...headers }).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(json));
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': body.byteLength, ...headers });
  if (response.req.method === 'HEAD') return void response.end();
  traffic.sentBytes += body.byteLength;
  response.end(body);
}

/** `n` and `last`. @throws EngineError `E_REGISTRY_REQUEST` */
export function readPage(query: URLSearchParams): Page {
  const [n, last] = [query.get('n'), query.get('last')];
  if (n !== null && !/^\d{1,9}$/.test(n))
    throw refuse('invalid-argument', 'E_REGISTRY_REQUEST', `n is ${JSON.stringify(n.slice(0, 40))}, not a number`);
  return { ...(n === null ? {} : { limit: Number(n) }), ...(last === null ? {} : { after: last }) };
}

/** Where the rest of a list is. @spec distribution-spec/spec.md#listing-tags */
export function nextLink(path: string, query: URLSearchParams, next: string | undefined): OutgoingHttpHeaders {
  if (next === undefined) return {};
  const rest = new URLSearchParams(query);
  rest.set('last', next);
  return { Link: `<${path}?${rest}>; rel="next"` };
}
