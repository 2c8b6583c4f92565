/**
 * Fetching a part of a blob: for those who cannot wait for all of it.
 *
 * Knows: that a registry need not know ranges, and what an answer must agree with.
 * Does not know: what the bytes are of. They are not verified here: a blob's digest says nothing of its parts.
 *
 * @spec distribution-spec/spec.md#pulling-blobs; RFC 9110, section 14
 */
import type { Descriptor } from '@slipway/oci';
import { discard, readBounded } from './read-body.ts';
import { brokenAnswer } from './registry-errors.ts';
import type { RegistrySession } from './session.ts';

export interface RangeRequest {
  readonly session: RegistrySession;
  readonly path: string;
  readonly descriptor: Descriptor;
  readonly scopes: readonly string[];
  /** First byte. */
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes from `start` to `end`; undefined when the registry would send the whole blob instead.
 * @throws EngineError as the registry refuses; `invalid-argument` / `E_REGISTRY_ANSWER` for another part than the one asked for
 */
export async function fetchRange(request: RangeRequest): Promise<Uint8Array | undefined> {
  return await request.session.patiently(() => fetchOnce(request), request.signal);
}

async function fetchOnce({ session, path, descriptor, scopes, start, end, signal }: RangeRequest): Promise<Uint8Array | undefined> {
  const response = await session.require(
    {
      method: 'GET',
      url: `/v2/${path}/blobs/${descriptor.digest}`,
      headers: { 'accept-encoding': 'identity', range: `bytes=${start}-${end - 1}` },
      scopes,
      signal,
    },
    `no blob ${descriptor.digest} of ${path}`,
    [200, 206, 416],
  );
  if (response.status !== 206) {
    await discard(response.body);
    return undefined;
  }
  const [, first, last] = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(response.headers['content-range'] ?? '') ?? [];
  if (Number(first) !== start || Number(last) !== end - 1) {
    await discard(response.body);
    throw brokenAnswer(response.url, 'a part that nobody asked for');
  }
  const bytes = await readBounded(response.body, end - start);
  if (bytes.byteLength !== end - start) throw brokenAnswer(response.url, 'a part that is shorter than announced');
  return bytes;
}
