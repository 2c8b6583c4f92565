/**
 * The two headers that speak of parts: `Range` of downloads, and `Content-Range` as uploads use it.
 *
 * Knows: their grammar.
 * Does not know: what the bytes are of.
 */
import { refuse } from './registry-failure.ts';

/** A part of a blob. */
export interface Part {
  readonly start: number;
  readonly length: number;
}

/**
 * The one part that a `Range` header asks for; undefined when all is to be sent: no header, another unit, or several parts at once,
 * which a server is free to answer with everything.
 *
 * @throws EngineError `E_REGISTRY_RANGE` when no byte of it is there
 */
export function parseRange(header: string | undefined, sizeBytes: number): Part | undefined {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== '' && from !== '' && Number(to) < start) return undefined;
  if (start > end) throw refuse('invalid-argument', 'E_REGISTRY_RANGE', `the blob has ${sizeBytes} bytes, none of them in ${header}`);
  return { start, length: end - start + 1 };
}

/**
 * Where a chunk claims to stand: `<first>-<last>`, without unit, as uploads have it. undefined: it goes where the last one ended.
 *
 * @throws EngineError `E_UPLOAD_RANGE`
 * @spec distribution-spec/spec.md#pushing-a-blob-in-chunks
 */
export function parseChunkRange(header: string | undefined): Part | undefined {
  if (header === undefined) return undefined;
  const [, first, last] = /^(?:bytes[= ])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim()) ?? [];
  const start = Number(first);
  const length = Number(last) - start + 1;
  if (Number.isNaN(length) || length < 1) {
    throw refuse('invalid-argument', 'E_UPLOAD_RANGE', `Content-Range ${JSON.stringify(header.slice(0, 80))} is not FIRST-LAST`);
  }
  return { start, length };
}
