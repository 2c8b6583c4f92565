/**
 * A part of a file's content, as one layer has it.
 *
 * Knows: how much is read at once. Does not know: whether it is text.
 */
import type { WorkbenchAnswer } from '@slipway/contracts';
import { confinedFile } from '@slipway/kernel';
import { unusable } from '../failures.ts';
import { pathNames } from '../layer-look.ts';
import { withLayerFile } from './layer-file.ts';
import type { LayerXray } from './xrays.ts';

const PART_BYTES = 32 * 1024;

interface Wanted {
  readonly layer: number;
  readonly path: string;
  readonly offset: number;
}

/** @throws `failed-precondition` / `E_WORKBENCH_PATH` when the layer has no regular file there */
export function fileOf({ directories }: LayerXray, { layer, path, offset }: Wanted): WorkbenchAnswer<'xrayFile'> {
  const names = pathNames(path);
  const root = directories[layer];
  const part =
    root === undefined
      ? undefined
      : withLayerFile(root, names, (fd, sizeBytes) => ({
          sizeBytes,
          bytes: Buffer.from(confinedFile.read(fd, PART_BYTES, offset)).toString('base64'),
        }));
  if (part === undefined) throw unusable('the layer has no file at this path', 'E_WORKBENCH_PATH', 'list its directory first');
  return { path: `/${names.join('/')}`, layer, offset, ...part };
}
