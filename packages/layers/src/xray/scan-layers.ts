/**
 * Lists the files of layers where they lie, in a process of its own.
 *
 * Knows: what the worker needs, and how its answers are read.
 * Does not know: what the entries add up to (layer-tree.ts).
 */
import { openDirectoryHandle, runWorker } from '@slipway/kernel';
import { isObject } from '@slipway/oci';
import { readWorkerAnswer } from '../worker-answer.ts';
import type { ScannedLayerEntry, ScanTask } from './scanned-entry.ts';

export interface ScanOptions {
  /** Over all layers. Default: 50 000. */
  readonly maxEntries?: number;
  /** See WorkerRequest. */
  readonly compileCacheDir?: string;
}

export interface ScannedLayers {
  /** Layer by layer, the lowest first; a directory before what is in it. */
  readonly entries: readonly ScannedLayerEntry[];
  readonly truncated: boolean;
}

const MAX_ENTRIES = 50_000;
const WORKER = new URL('./scan-worker.ts', import.meta.url);

/**
 * @param directories lowest first, each the root of a layer as overlay keeps it
 * @throws EngineError `unsupported` / `E_LAYER_PACK` for names and depths that no layer may have, `E_PROGRAM_MISSING`; `internal` / `E_LAYER_SCAN`;
 *   errno errors of the kernel for a directory that is not there
 */
export async function scanLayers(directories: readonly string[], options: ScanOptions = {}): Promise<ScannedLayers> {
  const { maxEntries = MAX_ENTRIES, compileCacheDir } = options;
  const handles: Awaited<ReturnType<typeof openDirectoryHandle>>[] = [];
  const entries: ScannedLayerEntry[] = [];
  let last: unknown;
  try {
    for (const path of directories) handles.push(await openDirectoryHandle(path));
    const exit = await runWorker({
      module: WORKER,
      args: [JSON.stringify({ layers: handles.length, maxEntries } satisfies ScanTask)],
      descriptors: handles.map(({ fd }) => fd),
      onMessage: (message) => {
        if (isObject(message) && Array.isArray(message['entries'])) entries.push(...(message['entries'] as ScannedLayerEntry[]));
        else last = message;
      },
      ...(compileCacheDir === undefined ? {} : { compileCacheDir }),
    });
    const end = `${exit.signal ?? `exit code ${exit.code}`}: ${exit.stderr.trim()}`;
    const answer = readWorkerAnswer(last, { end, op: 'layer.scan', code: 'E_LAYER_SCAN' });
    return { entries, truncated: answer['truncated'] === true };
  } finally {
    for (const handle of handles) await handle.close();
  }
}
