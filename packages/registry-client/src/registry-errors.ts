/**
 * A registry's refusals as failures that a caller can act on.
 *
 * Knows: status codes and the error document.
 * Does not know: what was asked for.
 *
 * @spec distribution-spec/spec.md#error-codes
 */
import { EngineError, type ErrorKind } from '@slipway/errors';
import { isObject } from '@slipway/oci';
import type { WireResponse } from './connect.ts';
import { showUrl } from './policy.ts';
import { readBounded } from './read-body.ts';

const MAX_ERROR_BYTES = 16 * 1024;

/** The failure that a response with an unexpected status is. Reads its body. */
export async function responseError(response: WireResponse, what: string): Promise<EngineError> {
  const said = await readError(response);
  const { kind, code, hint } = classify(response.status);
  const detail = said === '' ? `status ${response.status}` : said;
  return new EngineError(kind, `${what}: ${detail}`, {
    code,
    op: 'registry.request',
    subject: showUrl(response.url),
    ...(hint === undefined ? {} : { hint }),
  });
}

function classify(status: number): { readonly kind: ErrorKind; readonly code: `E_${string}`; readonly hint?: string } {
  if (status === 401 || status === 403) {
    return { kind: 'permission-denied', code: 'E_REGISTRY_DENIED', hint: 'Check the name; if it needs a login: docker login.' };
  }
  if (status === 404) return { kind: 'not-found', code: 'E_REGISTRY_NOT_FOUND' };
  if (status === 429 || status >= 500) {
    return { kind: 'unavailable', code: 'E_REGISTRY_BUSY', hint: 'Try again later.' };
  }
  return { kind: 'invalid-argument', code: 'E_REGISTRY_ANSWER' };
}

/** What the registry said, as one line of printable text. */
async function readError(response: WireResponse): Promise<string> {
  let text: string;
  try {
    text = Buffer.from(await readBounded(response.body, MAX_ERROR_BYTES)).toString('utf8');
  } catch {
    return ''; // what it said is lost, that it refused is not
  }
  try {
    const document: unknown = JSON.parse(text);
    const errors = isObject(document) && Array.isArray(document['errors']) ? document['errors'] : [];
    const lines = errors.filter(isObject).map(({ code, message }) => `${shown(code)}: ${shown(message)}`);
    return lines.slice(0, 3).join('; ');
  } catch {
    return '';
  }
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : '';
  return text
    .replaceAll(/[^\x20-\x7e]+/g, ' ')
    .slice(0, 300)
    .trim()
    .toLowerCase();
}

/** A registry that breaks the protocol. */
export function brokenAnswer(url: URL, why: string): EngineError {
  return new EngineError('invalid-argument', `${showUrl(url)} answered what it may not: ${why}`, {
    code: 'E_REGISTRY_ANSWER',
    op: 'registry.request',
    subject: url.host,
  });
}
