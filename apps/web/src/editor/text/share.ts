/**
 * A config.json in the fragment of an address, and out of it again.
 *
 *     #/~config?c=<deflate, base64url>
 *
 * Knows: the coding and its bounds, which hold for whatever somebody sends. Does not know: the page. What comes out is text to look at;
 * it is never run without a click.
 */

/** Longer links get cut by mail and chat programs. */
export const LINK_MAX_CHARS = 16_000;
/** What a link may unfold to. */
export const SHARED_MAX_BYTES = 256 * 1024;

/** Undefined: too large for a link. */
export async function packText(text: string): Promise<string | undefined> {
  if (text.length > SHARED_MAX_BYTES) return undefined;
  const bytes = await collect(new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw')), SHARED_MAX_BYTES);
  const coded = bytes && toBase64Url(bytes);
  return coded !== undefined && coded.length <= LINK_MAX_CHARS ? coded : undefined;
}

/** Undefined: not a coding of ours, or one that unfolds beyond the bound. */
export async function unpackText(coded: string): Promise<string | undefined> {
  if (coded.length > LINK_MAX_CHARS || !/^[\w-]+$/.test(coded)) return undefined;
  try {
    const folded = Uint8Array.from(atob(coded.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
    const bytes = await collect(new Blob([folded]).stream().pipeThrough(new DecompressionStream('deflate-raw')), SHARED_MAX_BYTES);
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined; // cut, changed, or never one of ours
  }
}

/** Stops reading at the bound, so that a small link cannot unfold without end. */
async function collect(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) {
      await reader.cancel();
      return undefined;
    }
    parts.push(value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
