/**
 * Files of a container, from outside: all of them, one path, or into it.
 *
 * A running container's tree is reached through its process, so that what is mounted in it is there too; a stopped one's is mounted for a
 * worker alone. Every name in it is the container's own, resolved step by step by the worker, and never on the host.
 *
 * Knows: which tree to use, and that nothing may start a container while its tree is written from outside.
 * Does not know: tar (packages/layers).
 */
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '@slipway/errors';
import type { TreeRoot } from '@slipway/images';
import type { SpanContext } from '@slipway/journal';
import { openSpoolFile } from '@slipway/kernel/trees';
import { type PackSource, type PartStat, packTree, statInTree, unpackLayer } from '@slipway/layers';
import { snapshotKey } from './container.ts';
import { containerEvent } from './facts.ts';
import type { LiveContainer } from './live-container.ts';
import { mountDestinations } from './mount-points.ts';
import type { EngineContext } from './ports.ts';

export interface ContainerChange {
  readonly path: string;
  readonly kind: 'added' | 'modified' | 'deleted';
}

/** The whole root file system as a tar, without what is mounted in it. */
export async function exportContainer(engine: EngineContext, container: LiveContainer): Promise<Readable> {
  const root = await engine.images.making.viewOf(snapshotKey(container.record));
  containerEvent(engine, container, 'export');
  return packed(engine, { kind: 'tree', root });
}

/** @throws not-found / E_PATH_NOT_FOUND */
export async function statContainerPath(engine: EngineContext, container: LiveContainer, path: string): Promise<PartStat> {
  const root = await readableTree(engine, container);
  return statInTree({ kind: 'tree', root }, { path }, engine.images.making.workerCacheDir);
}

/** What is at `path` as a tar; links are followed as inside the container, the last one only with a slash at the end. @throws not-found / E_PATH_NOT_FOUND */
export async function readContainerPath(
  engine: EngineContext,
  container: LiveContainer,
  path: string,
): Promise<{ readonly stat: PartStat; readonly tar: Readable }> {
  const stat = await statContainerPath(engine, container, path);
  const root = await readableTree(engine, container);
  containerEvent(engine, container, 'archive-path');
  return { stat, tar: packed(engine, { kind: 'tree', root, part: { path } }) };
}

export interface WritePathOptions {
  /** Refuse to put a directory in the place of something else, and the other way round. */
  readonly keepKinds: boolean;
}

/**
 * Unpacks an archive, compressed or not, into the directory at `path`.
 *
 * @throws not-found / E_PATH_NOT_FOUND; invalid-argument / E_PATH_DIRECTORY, E_LAYER_KIND, E_LAYER_PATH, E_TAR_…; failed-precondition / E_ROOTFS_READ_ONLY
 */
export async function writeContainerPath(
  engine: EngineContext,
  container: LiveContainer,
  to: { readonly path: string; readonly archive: AsyncIterable<Uint8Array> } & WritePathOptions,
  parent?: SpanContext,
): Promise<void> {
  const init = { actor: 'engine', name: 'container.copy', protocol: 'function call', container: container.id, parent } as const;
  await engine.tracer.span({ ...init, request: { path: to.path } }, async () => {
    if (container.record.request.host.readonlyRootfs) throw readOnly(container.id);
    const spool = await openSpoolFile(engine.paths.state);
    try {
      for await (const chunk of to.archive) await spool.append(chunk);
      await container.exclusive(async () => {
        const target = processTree(container) ?? (await engine.images.making.writableOf(snapshotKey(container.record)));
        await unpackLayer({
          blob: spool,
          compression: 'detect',
          expected: {},
          target,
          at: to.path,
          lowers: [],
          whiteouts: 'literal',
          keepKinds: to.keepKinds,
          compileCacheDir: engine.images.making.workerCacheDir,
        });
      });
    } finally {
      await spool.close();
    }
    containerEvent(engine, container, 'extract-to-dir');
    engine.layersChanged(container.id);
  });
}

/** What differs from the image; mount points that nobody wrote are not told. */
export function containerChanges(engine: EngineContext, container: LiveContainer): Promise<readonly ContainerChange[]> {
  return engine.images.making.changes(snapshotKey(container.record), {
    mountPoints: [...mountDestinations(container.record.request.host)],
  });
}

async function readableTree(engine: EngineContext, container: LiveContainer): Promise<TreeRoot> {
  return processTree(container) ?? (await engine.images.making.viewOf(snapshotKey(container.record)));
}

/** The root of a live process; the dot at the end opens what the kernel's link leads to. */
function processTree({ record }: LiveContainer): string | undefined {
  const lives = record.status === 'running' || record.status === 'paused';
  return lives && record.pid !== undefined ? `/proc/${record.pid}/root/.` : undefined;
}

/** The worker's output as a stream; a failure in the middle breaks it off. */
function packed(engine: EngineContext, source: PackSource): Readable {
  const out = new PassThrough({ highWaterMark: 512 * 1024 });
  const gone = new AbortController();
  out.once('close', () => gone.abort());
  const request = { source, form: 'none', compileCacheDir: engine.images.making.workerCacheDir, signal: gone.signal } as const;
  // The end of the worker's bytes may also be that of the worker: only its answer says that they are all.
  packTree({ ...request, sink: (bytes) => pipeline(bytes, out, { end: false }) }).then(
    () => out.end(),
    (error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return out;
}

function readOnly(id: string): EngineError {
  return new EngineError('failed-precondition', 'container rootfs is marked read-only', {
    code: 'E_ROOTFS_READ_ONLY',
    op: 'container.copy',
    subject: id,
    hint: 'copy before the container is made read-only, or into a mounted directory from the host',
  });
}
