/**
 * Reading an answer's body to its end, within a bound.
 *
 * Knows: counting.
 * Does not know: what the bytes mean.
 */
import { EngineError } from '@slipway/errors';
import type { WireResponse } from './connect.ts';

/** @throws `invalid-argument` / `E_REGISTRY_ANSWER` at the first byte too many, the connection is dropped then; `unavailable` / `E_REGISTRY_UNREACHABLE` */
export async function readBounded(body: WireResponse['body'], maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      total += chunk.byteLength;
      if (total > maxBytes) throw tooLong(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof EngineError ? error : cutOff(error);
  }
  return Buffer.concat(chunks);
}

/** Throws away what is left, so that the connection can be used again; a long rest costs the connection instead. */
export async function discard(body: WireResponse['body']): Promise<void> {
  try {
    await readBounded(body, 64 * 1024);
  } catch {
    body.destroy();
  }
}

/** An answer that ended in the middle. */
export function cutOff(cause: unknown): EngineError {
  return new EngineError('unavailable', 'the connection ended in the middle of an answer', {
    code: 'E_REGISTRY_UNREACHABLE',
    op: 'registry.read',
    cause,
  });
}

function tooLong(maxBytes: number): EngineError {
  return new EngineError('invalid-argument', `the registry sent more than the ${maxBytes} bytes allowed`, {
    code: 'E_REGISTRY_ANSWER',
    op: 'registry.read',
  });
}
