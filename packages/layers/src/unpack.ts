/**
 * Unpacking a layer blob into a directory, in a process of its own.
 *
 * Knows: what the worker needs, and how its end is judged.
 * Does not know: tar (the worker does), snapshots or images.
 */
import { openDirectoryHandle, openWorkerSession, type ReadHandle, runWorker, type WorkerSession } from '@slipway/kernel';
import type { WorkerMount } from '@slipway/kernel/trees';
import { type DiffId, type Digest, isObject, type JsonObject, type LayerCompression, parseDiffId } from '@slipway/oci';
import type { ApplyReport } from './apply.ts';
import { DEFAULT_DECOMPRESS_LIMITS, type DecompressLimits } from './decompress.ts';
import type { TarLimits } from './tar/entry.ts';
import type { WhiteoutForm } from './whiteouts.ts';
import { readWorkerAnswer } from './worker-answer.ts';
import type { WorkerTask } from './worker-protocol.ts';

export interface UnpackRequest {
  /** Stays the caller's to close. */
  readonly blob: Pick<ReadHandle, 'fd' | 'sizeBytes'>;
  readonly compression: LayerCompression;
  /** Digests to be checked over what was really read; sha256 only, since these are what images use. */
  readonly expected: { readonly blobDigest?: Digest; readonly diffId?: DiffId };
  /** Existing directory that the layer goes to, or an overlay to be mounted for the worker alone. */
  readonly target: string | WorkerMount;
  /** A path in the target, as a process with that root would resolve it: the directory to fill. Default: the target itself. */
  readonly at?: string;
  /** See LayerTarget. */
  readonly keepKinds?: boolean;
  /** Directories of the layers below, topmost first. Empty when `target` holds their files itself. */
  readonly lowers: readonly string[];
  readonly whiteouts: WhiteoutForm;
  readonly tarLimits?: Partial<TarLimits>;
  readonly decompressLimits?: Partial<DecompressLimits>;
  /** See WorkerRequest. */
  readonly compileCacheDir?: string;
  /** Ends the worker at once. */
  readonly signal?: AbortSignal;
  /** Does it instead of a worker of its own, for a target that is a directory. */
  readonly session?: UnpackSession;
  /** The layer that the session will probably be asked for next; it begins to decompress it. */
  readonly next?: NextLayer;
}

export type NextLayer = Pick<UnpackRequest, 'blob' | 'compression'> & { readonly blobDigest: Digest };

/** A worker that unpacks one layer after the other, of one image: whoever can trick it stands below all that it writes later. */
export interface UnpackSession {
  readonly worker: WorkerSession;
  close(): Promise<void>;
}

/** Starts it. When `signal` aborts, it ends at once, and whatever it was asked fails. */
export function openUnpackSession(options: Pick<UnpackRequest, 'compileCacheDir' | 'signal'>): UnpackSession {
  const worker = openWorkerSession({ module: WORKER, ...options });
  return { worker, close: () => worker.close() };
}

export interface UnpackReport extends ApplyReport {
  /** Bytes of the uncompressed layer. */
  readonly tarBytes: number;
  readonly diffId: DiffId;
}

const WORKER = new URL('./unpack-worker.ts', import.meta.url);

/**
 * Applies a layer. On failure `target` holds whatever was written so far and is to be thrown away.
 *
 * @throws EngineError `invalid-argument` / `E_TAR_MALFORMED`, `E_TAR_LIMIT`, `E_LAYER_PATH`, `E_LAYER_COMPRESSION`, `E_LAYER_BOMB`,
 *   `E_LAYER_DIFF_ID`; `data-loss` / `E_BLOB_CORRUPT`; `failed-precondition` / `E_DISK_FULL`; `internal` / `E_UNPACK_WORKER`
 * @spec image-spec/layer.md#applying-changesets
 */
export async function unpackLayer(request: UnpackRequest): Promise<UnpackReport> {
  const directories: Awaited<ReturnType<typeof openDirectoryHandle>>[] = [];
  try {
    const { target } = request;
    for (const path of [typeof target === 'string' ? target : target.target, ...request.lowers])
      directories.push(await openDirectoryHandle(path));
    const descriptors = [request.blob.fd, ...directories.map(({ fd }) => fd)];
    if (request.session !== undefined && typeof target === 'string') {
      const next = request.next === undefined ? [] : [request.next.blob.fd];
      const { answer, end } = await request.session.worker.run(planSessionTask(request), [...descriptors, ...next]);
      request.signal?.throwIfAborted();
      return readReport(readWorkerAnswer(answer, { end, op: 'layer.unpack', code: 'E_UNPACK_WORKER' }));
    }
    let answer: unknown;
    const exit = await runWorker({
      module: WORKER,
      args: [JSON.stringify(planTask(request))],
      descriptors,
      onMessage: (message) => {
        answer = message;
      },
      ...(typeof target === 'string' ? {} : { mount: target }),
      ...(request.compileCacheDir === undefined ? {} : { compileCacheDir: request.compileCacheDir }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    const end = `${exit.signal ?? `exit code ${exit.code}`}: ${exit.stderr.trim()}`;
    return readReport(readWorkerAnswer(answer, { end, op: 'layer.unpack', code: 'E_UNPACK_WORKER' }));
  } finally {
    for (const directory of directories) await directory.close();
  }
}

function planSessionTask(request: UnpackRequest): WorkerTask {
  const task = planTask(request);
  if (request.next === undefined) return task;
  const { compression, blobDigest } = request.next;
  return { ...task, next: { compression, blobDigest, decompressLimits: task.decompressLimits } };
}

function planTask(request: UnpackRequest): WorkerTask {
  const { blob, compression, expected, target, at, lowers, whiteouts, keepKinds = false, tarLimits, decompressLimits } = request;
  return {
    compression,
    blobBytes: blob.sizeBytes,
    ...expected,
    lowerCount: lowers.length,
    whiteouts,
    keepKinds,
    ...(typeof target === 'string' ? {} : { mountedAt: target.target }),
    ...(at === undefined ? {} : { at }),
    tarLimits: tarLimits ?? {},
    decompressLimits: { ...DEFAULT_DECOMPRESS_LIMITS, ...decompressLimits },
  };
}

function readReport(answer: JsonObject): UnpackReport {
  const { members, fileBytes, tarBytes, warnings, diffId } = isObject(answer['report']) ? answer['report'] : {};
  return {
    members: Number(members),
    fileBytes: Number(fileBytes),
    tarBytes: Number(tarBytes),
    warnings: Array.isArray(warnings) ? warnings.slice(0, 100).map((text) => String(text).slice(0, 400)) : [],
    diffId: parseDiffId(String(diffId)),
  };
}
