/**
 * Packing a layer, a tree or a part of one, in a process of its own.
 *
 * Knows: what the worker needs, and how its end is judged.
 * Does not know: tar (the worker does), snapshots or containers.
 */
import { openDirectoryHandle, runWorker } from '@slipway/kernel';
import type { WorkerMount } from '@slipway/kernel/trees';
import { type DiffId, type Digest, isObject, type JsonObject, parseDiffId, parseDigest } from '@slipway/oci';
import { readWorkerAnswer } from '../worker-answer.ts';
import type { PackForm, PackReport, PackTask, PackTree, PartStat, TreePart } from './pack-protocol.ts';

/** Which tree. Paths are directories of the host, opened here; the worker gets descriptors. */
export type PackSource =
  /** What an overlay's upper directory adds. `lowers` topmost first; `mountPoints` see OverlayTree. */
  | {
      readonly kind: 'overlay';
      readonly upper: string;
      readonly lowers: readonly string[];
      readonly mountPoints: readonly string[];
      /** Take what a runtime made for mounts out of `upper` afterwards, which then holds what the layer says. Nothing may be mounted on it. */
      readonly settle?: boolean;
    }
  /** What a tree has become since it was a copy of `lower`. */
  | { readonly kind: 'compare'; readonly tree: string; readonly lower: string; readonly mountPoints: readonly string[] }
  /** A whole tree: a directory, or an overlay to be mounted for the worker alone. `part`: only what is there. */
  | { readonly kind: 'tree'; readonly root: string | WorkerMount; readonly part?: TreePart };

export interface PackRequest {
  readonly source: PackSource;
  /** `changes`: one line of JSON a change, `{path, kind: 'added' | 'modified' | 'deleted'}`. */
  readonly form: PackForm;
  /** Compression level; zlib's or zstd's default when absent. */
  readonly level?: number;
  /** Seconds since 1970: later times are set to this one. */
  readonly latestMtime?: number;
  /** Takes the bytes, to their end. */
  readonly sink: (bytes: AsyncIterable<Uint8Array>) => Promise<void>;
  /** See WorkerRequest. */
  readonly compileCacheDir?: string;
  readonly signal?: AbortSignal;
}

export interface PackedLayer extends Omit<PackReport, 'diffId' | 'blobDigest'> {
  readonly diffId: DiffId;
  readonly blobDigest: Digest;
}

const WORKER = new URL('./pack-worker.ts', import.meta.url);

/**
 * Packs, and resolves once `sink` and the worker have ended.
 *
 * @throws EngineError `unsupported` / `E_LAYER_PACK` for what no archive can say, `E_PROGRAM_MISSING`; `not-found` / `E_PATH_NOT_FOUND`; `internal` / `E_PACK_WORKER`;
 *   what `sink` throws
 */
export async function packTree(request: PackRequest): Promise<PackedLayer> {
  const answer = await work(request);
  const report = isObject(answer['report']) ? answer['report'] : {};
  const { members, fileBytes, tarBytes, diffId, blobBytes, blobDigest, warnings } = report;
  return {
    members: Number(members),
    fileBytes: Number(fileBytes),
    tarBytes: Number(tarBytes),
    diffId: parseDiffId(String(diffId)),
    blobBytes: Number(blobBytes),
    blobDigest: parseDigest(String(blobDigest)),
    warnings: Array.isArray(warnings) ? warnings.slice(0, 100).map((text) => String(text).slice(0, 400)) : [],
  };
}

/** What is at a path of a tree. @throws as {@link packTree} */
export async function statInTree(
  source: PackSource & { kind: 'tree' },
  part: Pick<TreePart, 'path' | 'follow'>,
  compileCacheDir?: string,
): Promise<PartStat> {
  const answer = await work({
    source: { ...source, part: { ...part, statOnly: true } },
    form: 'none',
    sink: drain,
    ...(compileCacheDir === undefined ? {} : { compileCacheDir }),
  });
  return (isObject(answer['stat']) ? answer['stat'] : {}) as unknown as PartStat;
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

async function work(request: PackRequest): Promise<JsonObject> {
  const { source, sink, compileCacheDir, signal } = request;
  const directories: Awaited<ReturnType<typeof openDirectoryHandle>>[] = [];
  try {
    for (const path of directoriesOf(source)) directories.push(await openDirectoryHandle(path));
    let answer: unknown;
    const exit = await runWorker({
      module: WORKER,
      args: [JSON.stringify(planTask(request, 3 + directories.length))],
      descriptors: directories.map(({ fd }) => fd),
      onOutput: sink,
      onMessage: (message) => {
        answer = message;
      },
      ...(source.kind === 'tree' && typeof source.root !== 'string' ? { mount: source.root } : {}),
      ...(compileCacheDir === undefined ? {} : { compileCacheDir }),
      ...(signal === undefined ? {} : { signal }),
    });
    const end = `${exit.signal ?? `exit code ${exit.code}`}: ${exit.stderr.trim()}`;
    return readWorkerAnswer(answer, { end, op: 'layer.pack', code: 'E_PACK_WORKER' });
  } finally {
    for (const directory of directories) await directory.close();
  }
}

function directoriesOf(source: PackSource): readonly string[] {
  if (source.kind === 'overlay') return [source.upper, ...source.lowers];
  if (source.kind === 'compare') return [source.tree, source.lower];
  return typeof source.root === 'string' ? [source.root] : [];
}

function planTask({ source, form, level, latestMtime }: PackRequest, outputFd: number): PackTask {
  return {
    tree: planTree(source),
    form,
    outputFd,
    ...(level === undefined ? {} : { level }),
    ...(latestMtime === undefined ? {} : { latestMtime }),
  };
}

function planTree(source: PackSource): PackTree {
  if (source.kind === 'overlay') {
    const { lowers, mountPoints, settle = false } = source;
    return { kind: 'overlay', lowerCount: lowers.length, mountPoints, settle };
  }
  if (source.kind === 'compare') return { kind: 'compare', mountPoints: source.mountPoints };
  const { root, part } = source;
  return { kind: 'tree', ...(typeof root === 'string' ? {} : { mountedAt: root.target }), ...(part === undefined ? {} : { part }) };
}
