/**
 * Unpacking a layer blob into a directory, in a process of its own.
 *
 * Knows: what the worker needs, and how its end is judged.
 * Does not know: tar (the worker does), snapshots or images.
 */
import { EngineError, isErrorKind } from '@slipway/errors';
import { openDirectoryHandle, type ReadHandle, runWorker } from '@slipway/kernel';
import { type DiffId, type Digest, isObject, type LayerCompression, parseDiffId } from '@slipway/oci';
import type { ApplyReport } from './apply.ts';
import { DEFAULT_DECOMPRESS_LIMITS, type DecompressLimits } from './decompress.ts';
import type { TarLimits } from './tar/entry.ts';
import type { WhiteoutForm } from './whiteouts.ts';
import type { WorkerTask } from './worker-protocol.ts';

export interface UnpackRequest {
  /** Stays the caller's to close. */
  readonly blob: Pick<ReadHandle, 'fd' | 'sizeBytes'>;
  readonly compression: LayerCompression;
  /** Digests to be checked over what was really read; sha256 only, since these are what images use. */
  readonly expected: { readonly blobDigest?: Digest; readonly diffId?: DiffId };
  /** Existing directory that the layer goes to. */
  readonly target: string;
  /** Directories of the layers below, topmost first. Empty when `target` holds their files itself. */
  readonly lowers: readonly string[];
  readonly whiteouts: WhiteoutForm;
  readonly tarLimits?: Partial<TarLimits>;
  readonly decompressLimits?: Partial<DecompressLimits>;
  /** See WorkerRequest. */
  readonly compileCacheDir?: string;
  /** Ends the worker at once. */
  readonly signal?: AbortSignal;
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
    for (const path of [request.target, ...request.lowers]) directories.push(await openDirectoryHandle(path));
    let answer: unknown;
    const exit = await runWorker({
      module: WORKER,
      args: [JSON.stringify(planTask(request))],
      descriptors: [request.blob.fd, ...directories.map(({ fd }) => fd)],
      onMessage: (message) => {
        answer = message;
      },
      ...(request.compileCacheDir === undefined ? {} : { compileCacheDir: request.compileCacheDir }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    return readAnswer(answer, `${exit.signal ?? `exit code ${exit.code}`}: ${exit.stderr.trim()}`);
  } finally {
    for (const directory of directories) await directory.close();
  }
}

function planTask({ blob, compression, expected, lowers, whiteouts, tarLimits, decompressLimits }: UnpackRequest): WorkerTask {
  return {
    compression,
    blobBytes: blob.sizeBytes,
    ...expected,
    lowerCount: lowers.length,
    whiteouts,
    tarLimits: tarLimits ?? {},
    decompressLimits: { ...DEFAULT_DECOMPRESS_LIMITS, ...decompressLimits },
  };
}

/** The worker has parsed a stranger's bytes, so its answer is read with the same care as theirs. */
function readAnswer(answer: unknown, exit: string): UnpackReport {
  if (isObject(answer) && answer['ok'] === true && isObject(answer['report'])) {
    const { members, fileBytes, tarBytes, warnings, diffId } = answer['report'];
    return {
      members: Number(members),
      fileBytes: Number(fileBytes),
      tarBytes: Number(tarBytes),
      warnings: Array.isArray(warnings) ? warnings.slice(0, 100).map((text) => String(text).slice(0, 400)) : [],
      diffId: parseDiffId(String(diffId)),
    };
  }
  if (isObject(answer) && answer['ok'] === false && typeof answer['code'] === 'string' && isErrorKind(answer['kind'])) {
    const { kind, code, message, subject } = answer;
    throw new EngineError(kind, String(message).slice(0, 2000), {
      code: /^E_[A-Z_]{1,60}$/.test(String(code)) ? (code as `E_${string}`) : 'E_UNPACK_WORKER',
      op: 'layer.unpack',
      ...(typeof subject === 'string' ? { subject } : {}),
    });
  }
  throw new EngineError('internal', `the unpack worker ended without an answer (${exit.slice(0, 1000)})`, {
    code: 'E_UNPACK_WORKER',
    op: 'layer.unpack',
  });
}
