/**
 * A registry on the loopback address that says what a test wants it to say, and remembers what it was asked.
 *
 * Knows: HTTP.
 * Does not know: the protocol; tests write the answers.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { digestOf, MediaTypes } from '@slipway/oci';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  /** `x-slipway-span` */
  readonly span: string | undefined;
  readonly body: Buffer;
}

export type Answer = (request: Seen, response: ServerResponse) => unknown;

export class StubRegistry implements AsyncDisposable {
  readonly seen: Seen[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  /** Answers by `METHOD /path` (without query), else by `*`. */
  readonly answers = new Map<string, Answer>();

  static async start(answers: Readonly<Record<string, Answer>> = {}): Promise<StubRegistry> {
    const stub = new StubRegistry();
    for (const [key, answer] of Object.entries(answers)) stub.answers.set(key, answer);
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** What was asked, as `METHOD /path?query`. */
  get asked(): readonly string[] {
    return this.seen.map(({ method, url }) => `${method} ${url}`);
  }

  /** Serves `bytes` as the blob of its own digest, ranges included. */
  blob(path: string, bytes: Uint8Array): void {
    this.answers.set(`GET /v2/${path}/blobs/${digestOf(bytes)}`, ({ range }, response) => {
      const [, first = '-1', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
      const from = Number(first);
      if (from < 0) return void response.writeHead(200, { 'content-length': bytes.byteLength }).end(bytes);
      const rest = bytes.subarray(from, last === '' ? undefined : Number(last) + 1);
      response.writeHead(206, {
        'content-length': rest.byteLength,
        'content-range': `bytes ${from}-${from + rest.byteLength - 1}/${bytes.byteLength}`,
      });
      response.end(rest);
    });
  }

  /** Serves a document under a tag and its digest. */
  manifest(path: string, tag: string, document: object, mediaType: string = MediaTypes.ociManifest): void {
    const bytes = Buffer.from(JSON.stringify(document));
    for (const name of [tag, digestOf(bytes)]) {
      this.answers.set(`GET /v2/${path}/manifests/${name}`, (_request, response) =>
        response.writeHead(200, { 'content-type': mediaType, 'docker-content-digest': digestOf(bytes) }).end(bytes),
      );
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const seen = {
      method,
      url,
      authorization: headers.authorization,
      range: headers.range,
      span: headers['x-slipway-span']?.toString(),
      body: Buffer.concat(chunks),
    };
    this.seen.push(seen);
    const answer = this.answers.get(`${method} ${url.split('?')[0]}`) ?? this.answers.get('*');
    if (answer !== undefined) await answer(seen, response);
    else response.writeHead(url === '/v2/' ? 200 : 404).end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
