/**
 * The least client that a test of a registry needs: one request, sent as it is written, over a connection of its own.
 *
 * Knows: node:http.
 * Does not know: the API; the suites spell it out.
 */
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Sent {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array | string;
}

/** @param location absolute, or below `origin` */
export function send(origin: string, method: string, location: string, { headers = {}, body }: Sent = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const url = new URL(location, origin);
    const hasNoLength = body === undefined || headers['Transfer-Encoding'] !== undefined;
    const length = hasNoLength ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const request = httpRequest(url, { method, headers: { ...length, ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** What a JSON body says. */
export function json(reply: Reply): Record<string, unknown> {
  return JSON.parse(reply.body.toString()) as Record<string, unknown>;
}

/** The codes of an error's body. */
export function errorCodes(reply: Reply): string[] {
  const { errors } = json(reply) as { errors?: { code: string }[] };
  return (errors ?? []).map(({ code }) => code);
}
