/**
 * Fetching a blob: streamed into a sink that verifies it, resumed where a connection or an earlier attempt broke off.
 *
 * Knows: ranges, what an answer must agree with, when going on makes sense.
 * Does not know: where the bytes go, or who else wants them (shared-fetches.ts).
 *
 * @spec distribution-spec/spec.md#pulling-blobs; RFC 9110, section 14
 */
import { EngineError, hasCode, isKind } from '@slipway/errors';
import { delay } from '@slipway/kernel';
import type { Descriptor } from '@slipway/oci';
import type { WireResponse } from './connect.ts';
import { cutOff, discard } from './read-body.ts';
import { brokenAnswer } from './registry-errors.ts';
import { RETRY_MS, type RegistrySession } from './session.ts';

/** Where a blob goes; packages/content's ingests are such sinks. */
export interface BlobSink extends AsyncDisposable {
  /** Bytes that it holds already. */
  readonly offset: number;
  write(bytes: Uint8Array): Promise<void>;
  /** Checks size and digest. @throws `invalid-argument` / `E_BLOB_SIZE`, `E_BLOB_DIGEST`, and has dropped the bytes */
  commit(): Promise<unknown>;
  abort(): Promise<void>;
}

export interface BlobRequest {
  readonly session: RegistrySession;
  readonly path: string;
  readonly descriptor: Descriptor;
  readonly scopes: readonly string[];
  /** Opened anew when bytes of an earlier attempt turn out to be wrong. */
  readonly openSink: () => Promise<BlobSink>;
  /** Bytes held, counted from the blob's beginning; told at once where some are. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** Tests shorten it. */
  readonly retryMs?: readonly number[];
}

export interface FetchedBlob {
  /** Where it went on; 0 when nothing was there. */
  readonly resumedAt: number;
  /** How often the connection had to be made anew. */
  readonly retries: number;
}

/**
 * @throws EngineError as the registry's refusals; `invalid-argument` / `E_BLOB_DIGEST`, `E_BLOB_SIZE`, `E_REGISTRY_ANSWER`
 */
export async function fetchBlob(request: BlobRequest): Promise<FetchedBlob> {
  try {
    return await fetchInto(request);
  } catch (error) {
    // What was held before may have been another content's beginning; from scratch there is no such doubt.
    if (!(error instanceof ResumedWrong)) throw error;
    return await fetchInto(request);
  }
}

class ResumedWrong extends Error {}

async function fetchInto(request: BlobRequest): Promise<FetchedBlob> {
  const { descriptor, openSink } = request;
  await using sink = await openSink();
  const resumedAt = sink.offset;
  if (resumedAt > 0) request.onProgress?.(resumedAt);
  const retries = await fill(sink, request);
  try {
    await sink.commit();
  } catch (error) {
    if (resumedAt > 0 && hasCode(error, 'E_BLOB_DIGEST')) throw new ResumedWrong(descriptor.digest, { cause: error });
    throw error;
  }
  return { resumedAt, retries };
}

/** @returns how often it was tried again */
async function fill(sink: BlobSink, request: BlobRequest): Promise<number> {
  const { descriptor, signal, retryMs: waits = RETRY_MS } = request;
  const reader = { ignoreRanges: false };
  let [retries, fruitless] = [0, 0];
  while (sink.offset < descriptor.size) {
    const before = sink.offset;
    try {
      await readOnce(sink, request, reader);
    } catch (error) {
      if (!isKind(error, 'unavailable') || signal?.aborted === true) throw error;
      fruitless = sink.offset > before ? 0 : fruitless + 1;
      const wait = waits[fruitless];
      if (wait === undefined || retries > 100) throw error;
      retries++;
      await delay(wait);
      signal?.throwIfAborted();
    }
  }
  return retries;
}

/** One connection's worth of the blob. @throws `unavailable` when it ends early */
async function readOnce(sink: BlobSink, request: BlobRequest, reader: { ignoreRanges: boolean }): Promise<void> {
  const { session, path, descriptor, scopes, signal } = request;
  const from = reader.ignoreRanges ? 0 : sink.offset;
  const response = await session.require(
    {
      method: 'GET',
      url: `/v2/${path}/blobs/${descriptor.digest}`,
      // Bytes are counted and hashed as they are stored; a transfer coding would change them.
      headers: { 'accept-encoding': 'identity', ...(from === 0 ? {} : { range: `bytes=${from}-` }) },
      scopes,
      signal,
    },
    `no blob ${descriptor.digest} of ${path}`,
    [200, 206, 416],
  );
  const start = startOf(response, from, descriptor.size);
  if (start === undefined) {
    await discard(response.body);
    if (reader.ignoreRanges) throw brokenAnswer(response.url, 'a part that nobody asked for');
    reader.ignoreRanges = true;
    return;
  }
  await pour(response, { sink, start, request });
}

/** Offset of the answer's first byte; undefined when it is not the part that was asked for. */
function startOf({ status, headers, url }: WireResponse, from: number, size: number): number | undefined {
  const length = headers['content-length'];
  const requireLength = (expected: number) => {
    if (length !== undefined && Number(length) !== expected) {
      throw new EngineError('invalid-argument', `${url.host} announces ${length} bytes where ${expected} are expected`, {
        code: 'E_BLOB_SIZE',
        op: 'registry.blob',
        subject: url.pathname,
      });
    }
  };
  if (status === 200) {
    requireLength(size);
    return 0;
  }
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  if (status !== 206 || Number(first) !== from || Number(last) !== size - 1 || (total !== '*' && Number(total) !== size)) return undefined;
  requireLength(size - from);
  return from;
}

async function pour(
  response: WireResponse,
  { sink, start, request }: { readonly sink: BlobSink; readonly start: number; readonly request: BlobRequest },
): Promise<void> {
  const { descriptor, onProgress, signal } = request;
  let at = start;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      signal?.throwIfAborted();
      const fresh = chunk.subarray(Math.max(0, Math.min(chunk.byteLength, sink.offset - at)));
      at += chunk.byteLength;
      if (at > descriptor.size) throw tooLong(response.url, descriptor);
      if (fresh.byteLength > 0) await sink.write(fresh);
      onProgress?.(sink.offset);
    }
  } catch (error) {
    if (error instanceof EngineError || signal?.aborted === true || !isConnectionError(error)) throw error;
    throw cutOff(error);
  }
  if (at === descriptor.size) return;
  // A body without Content-Length may end anywhere; one with it would have failed above.
  if (response.headers['content-length'] === undefined && response.headers['transfer-encoding'] !== undefined) {
    throw new EngineError('invalid-argument', `${response.url.host} sent ${at} bytes, announced were ${descriptor.size}`, {
      code: 'E_BLOB_SIZE',
      op: 'registry.blob',
      subject: descriptor.digest,
    });
  }
  throw cutOff(undefined);
}

/** Node's words for a peer that went away; anything else (a full disk) is not the registry's doing. */
function isConnectionError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    code === 'ETIMEDOUT' ||
    code === 'ERR_STREAM_PREMATURE_CLOSE' ||
    /^nothing came/.test(String((error as Error).message))
  );
}

function tooLong(url: URL, { digest, size }: Descriptor): EngineError {
  return new EngineError('invalid-argument', `${url.host} sends more than the ${size} bytes announced`, {
    code: 'E_BLOB_SIZE',
    op: 'registry.blob',
    subject: digest,
  });
}
