/**
 * Pushing a blob: not at all when it is there, by reference when another repository has it, in one piece or in parts.
 *
 *     HEAD ── there ─────────────────────────────▶ exists
 *     POST ?mount=…&from=… ── 201 ───────────────▶ mounted
 *       └─ 202 ── small: PUT ?digest=…  ─────────▶ uploaded
 *               └ large: PATCH, PATCH, …, PUT  ──▶ uploaded    (a broken part goes on where the registry says)
 *
 * Knows: the steps of an upload.
 * Does not know: where the bytes come from.
 *
 * @spec distribution-spec/spec.md#pushing-blobs
 */
import { EngineError, isKind } from '@slipway/errors';
import { delay } from '@slipway/kernel';
import type { Descriptor } from '@slipway/oci';
import type { WireResponse } from './connect.ts';
import { discard } from './read-body.ts';
import { brokenAnswer, responseError } from './registry-errors.ts';
import { RETRY_MS, type RegistrySession } from './session.ts';

/** The bytes of a blob that is to be pushed. */
export interface BlobSource {
  /** `length` bytes from `start`; called again when a part has to be sent again. */
  read(start: number, length: number): AsyncIterable<Uint8Array>;
}

export interface PushRequest {
  readonly session: RegistrySession;
  readonly path: string;
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  readonly scopes: readonly string[];
  /** Another repository of the same registry that is likely to have it. */
  readonly mountFrom?: string | undefined;
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** Blobs beyond this are sent in parts of so many bytes. */
  readonly partBytes?: number;
  readonly retryMs?: readonly number[];
}

export type PushOutcome = 'exists' | 'mounted' | 'uploaded';

const PART_BYTES = 32 * 1024 * 1024;

/** @throws EngineError `permission-denied` / `E_REGISTRY_DENIED`, `unavailable` / `E_REGISTRY_UNREACHABLE`, `E_REGISTRY_BUSY` */
export async function pushBlob(request: PushRequest): Promise<PushOutcome> {
  const { session, signal } = request;
  if (await session.patiently(() => hasBlob(request), signal)) return 'exists';
  return await session.patiently(() => upload(request), signal);
}

export async function hasBlob({ session, path, descriptor, scopes, signal }: Omit<PushRequest, 'source'>): Promise<boolean> {
  const response = await session.send({ method: 'HEAD', url: `/v2/${path}/blobs/${descriptor.digest}`, scopes, signal });
  await discard(response.body);
  if (response.status === 200) return true;
  if (response.status === 404) return false;
  throw await responseError(response, `cannot look for a layer in ${path}`);
}

async function upload(request: PushRequest): Promise<PushOutcome> {
  const { session, path, descriptor, scopes, mountFrom, signal, partBytes = PART_BYTES } = request;
  const mount = mountFrom === undefined ? '' : `?mount=${descriptor.digest}&from=${encodeURIComponent(mountFrom)}`;
  const begin = {
    method: 'POST',
    url: `/v2/${path}/blobs/uploads/${mount}`,
    headers: { 'content-length': '0' },
    scopes: mountScopes(scopes, mountFrom),
    signal,
  } as const;
  const response = await session.require(begin, `cannot push to ${path}`, [201, 202]);
  await discard(response.body);
  if (response.status === 201) {
    if (mountFrom !== undefined) return 'mounted';
    throw brokenAnswer(response.url, 'it made a blob of nothing');
  }
  const location = session.location(response);
  if (descriptor.size <= partBytes) await finish(request, location, 0);
  else await finish(request, await sendParts(request, location, partBytes), descriptor.size);
  return 'uploaded';
}

function mountScopes(scopes: readonly string[], mountFrom: string | undefined): readonly string[] {
  return mountFrom === undefined ? scopes : [...scopes, `repository:${mountFrom}:pull`];
}

/** The closing request, with what has not been sent yet. */
async function finish(request: PushRequest, location: URL, from: number): Promise<void> {
  const { session, path, descriptor } = request;
  const url = new URL(location);
  url.searchParams.set('digest', descriptor.digest);
  const response = await session.require(
    { ...part(request, from, descriptor.size - from), method: 'PUT', url },
    `cannot push a layer to ${path}`,
    [201, 204],
  );
  await discard(response.body);
}

async function sendParts(request: PushRequest, location: URL, partBytes: number): Promise<URL> {
  const { descriptor, signal, retryMs: waits = RETRY_MS } = request;
  let [at, next, fruitless] = [0, location, 0];
  while (at < descriptor.size) {
    const length = Math.min(partBytes, descriptor.size - at);
    try {
      const sent = await sendPart(request, next, { at, length });
      fruitless = sent.at > at ? 0 : fruitless + 1;
      ({ at, next } = sent);
    } catch (error) {
      const wait = waits[fruitless++];
      if (wait === undefined || !isKind(error, 'unavailable')) throw error;
      await delay(wait);
      signal?.throwIfAborted();
      ({ at, next } = await askProgress(request, next));
    }
    if (fruitless > waits.length) throw stuck(request);
  }
  return next;
}

interface Progress {
  readonly at: number;
  readonly next: URL;
}

async function sendPart(
  request: PushRequest,
  url: URL,
  { at, length }: { readonly at: number; readonly length: number },
): Promise<Progress> {
  const { headers, ...rest } = part(request, at, length);
  const range = `${at}-${at + length - 1}`;
  const sending = { ...rest, method: 'PATCH', url, headers: { ...headers, 'content-range': range } } as const;
  const response = await request.session.require(sending, `cannot push a layer to ${request.path}`, [202, 204, 416]);
  await discard(response.body);
  if (response.status === 416) return await askProgress(request, url);
  return { at: heldBytes(response, at + length), next: request.session.location(response) };
}

/** What the registry has of an upload. */
async function askProgress({ session, path, scopes, signal }: PushRequest, url: URL): Promise<Progress> {
  const response = await session.require({ method: 'GET', url, scopes, signal }, `the upload to ${path} is lost`, [204]);
  await discard(response.body);
  return { at: heldBytes(response, 0), next: response.headers.location === undefined ? url : session.location(response) };
}

/** `Range: 0-99` means 100 bytes; the same is said of none and of one byte, so that none is assumed: a byte sent again is refused, not doubled. */
function heldBytes({ headers, url }: WireResponse, absent: number): number {
  const { range } = headers;
  if (range === undefined) return absent;
  const [, first, last] = /^(?:bytes=)?(\d+)-(\d+)$/.exec(range) ?? [];
  if (first !== '0' || last === undefined) throw brokenAnswer(url, `its Range ${JSON.stringify(range.slice(0, 60))} cannot be`);
  return last === '0' ? 0 : Number(last) + 1;
}

/** A request's body: so many bytes from there. */
function part({ descriptor, source, scopes, signal, onProgress }: PushRequest, start: number, length: number) {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    let at = start;
    for await (const chunk of source.read(start, length)) {
      yield chunk;
      at += chunk.byteLength;
      onProgress?.(at);
    }
    if (at !== start + length) throw changed(descriptor);
  };
  return {
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(length) },
    ...(length === 0 ? {} : { body }),
    scopes,
    signal,
  };
}

function changed({ digest }: Descriptor): EngineError {
  return new EngineError('data-loss', `blob ${digest} is shorter than it was`, {
    code: 'E_BLOB_CORRUPT',
    op: 'registry.push',
    subject: digest,
  });
}

function stuck({ path, descriptor }: PushRequest): EngineError {
  return new EngineError('unavailable', `the upload of ${descriptor.digest} to ${path} makes no progress`, {
    code: 'E_REGISTRY_BUSY',
    op: 'registry.push',
    subject: descriptor.digest,
  });
}
