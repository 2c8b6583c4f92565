/**
 * Secrets of a build, which docker's classic endpoint has no place for: our own client sends them before the context.
 *
 *     POST /build?secretbytes=N      N bytes of JSON {id: base64}, and behind them the tar of the context
 *
 * In the body, since URLs and headers are what journals and proxies keep.
 *
 * Knows: that form and its bounds.
 * Does not know: what steps do with secrets.
 */
import { badRequest } from './docker-status.ts';
import { Fields } from './fields.ts';

const MAX_SECRETS_BYTES = 1024 * 1024;
const ID = /^[\w.-]{1,128}$/;

export interface SplitBody {
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly context: AsyncIterable<Uint8Array>;
}

/** Reads the secrets; the context is left to be read. @throws EngineError `invalid-argument` / `E_API_REQUEST` */
export async function splitSecrets(body: AsyncIterable<Uint8Array>, secretBytes: number): Promise<SplitBody> {
  if (secretBytes === 0) return { secrets: new Map(), context: body };
  if (!(secretBytes > 0 && secretBytes <= MAX_SECRETS_BYTES)) throw badRequest(`secretbytes must be at most ${MAX_SECRETS_BYTES}`);
  const chunks = body[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  for (let missing = secretBytes; missing > 0; ) {
    const { value, done } = await chunks.next();
    if (done === true) throw badRequest('the body ends before its secrets do');
    taken.push(value);
    missing -= value.byteLength;
  }
  const bytes = Buffer.concat(taken);
  return { secrets: readSecrets(bytes.subarray(0, secretBytes)), context: rest(bytes.subarray(secretBytes), chunks) };
}

async function* rest(first: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

/** Nothing of what is read is ever quoted. */
function readSecrets(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw badRequest('the secrets are not JSON');
  }
  const entries = Object.entries(new Fields({ secrets: value }).textMap('secrets'));
  if (!entries.every(([id]) => ID.test(id))) throw badRequest('the id of a secret is letters, digits, "_", "." and "-"');
  return new Map(entries.map(([id, text]) => [id, Buffer.from(text, 'base64')]));
}
