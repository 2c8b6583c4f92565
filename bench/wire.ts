/**
 * HTTP over one unix-socket connection that stays open, as little of it as our engine's answers need: what a client of a library's making
 * spends on a request would count as the engine's.
 *
 * Knows: requests one after another, answers with a length, in chunks, or without a body.
 * Does not know: what is asked.
 */
import { createConnection, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly content: string;
}

export class Wire {
  readonly #path: string;
  #socket: Socket | undefined;
  #text = '';
  #waiting: PromiseWithResolvers<Answer> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  ask(method: string, path: string, body: string): Promise<Answer> {
    this.#socket ??= this.#connect();
    this.#waiting = Promise.withResolvers<Answer>();
    const length = Buffer.byteLength(body);
    this.#socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: e\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
    );
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    const socket = createConnection(this.#path).setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#text += text;
      const answer = readAnswer(this.#text);
      if (answer === undefined) return;
      this.#text = '';
      this.#waiting?.resolve(answer);
    });
    socket.on('error', (error) => this.#waiting?.reject(error));
    socket.on('close', () => {
      this.#socket = undefined;
      this.#waiting?.reject(new Error('the engine closed the connection'));
    });
    return socket;
  }
}

/** Undefined until it is whole. Our engine's answers are ASCII where lengths matter here. */
function readAnswer(text: string): Answer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = text.slice(0, end).toLowerCase();
  const body = text.slice(end + 4);
  const status = Number(head.slice(9, 12));
  if (head.includes('transfer-encoding: chunked')) return body.endsWith('0\r\n\r\n') ? { status, content: unchunk(body) } : undefined;
  const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
  return Buffer.byteLength(body) >= length ? { status, content: body } : undefined;
}

function unchunk(body: string): string {
  const [size = '0', ...rest] = body.split('\r\n');
  const length = Number.parseInt(size, 16);
  if (length === 0) return '';
  const chunks = rest.join('\r\n');
  return chunks.slice(0, length) + unchunk(chunks.slice(length + 2));
}
