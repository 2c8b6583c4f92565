/**
 * A tree of the host, of a stage or of an image, read through the worker that packs trees.
 *
 * Knows: that the end of the worker's bytes is not yet its success.
 * Does not know: which tree it is.
 */
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type PackSource, packTree } from '@slipway/layers';
import { FileTree } from './file-tree.ts';

/** @throws EngineError as packTree, e.g. `not-found` / `E_PATH_NOT_FOUND` */
export async function readPackedTree(
  source: PackSource,
  options: { readonly directory: string; readonly compileCacheDir?: string },
): Promise<FileTree> {
  const { directory, ...worker } = options;
  const archive = new PassThrough({ highWaterMark: 512 * 1024 });
  packTree({ source, form: 'none', sink: (bytes) => pipeline(bytes, archive, { end: false }), ...worker }).then(
    () => archive.end(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return FileTree.read(archive, { directory });
}
