/**
 * Text as UTF-8 and back, for all that does so.
 *
 * Knows: that what Node would replace is left to Node.
 * Does not know: files.
 */
import { system } from './system.ts';

/** @throws for half a surrogate pair */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (/[\ud800-\udfff]/.test(text) && /\p{Surrogate}/u.test(text)) throw new Error('half a surrogate pair');
  return new Uint8Array(system.encode(text));
}

/** @throws for what is no UTF-8 */
export function decodeText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  const text = system.decode(bytes, from, Math.max(0, to - from));
  if (text === undefined) throw new Error('not UTF-8');
  return text;
}
