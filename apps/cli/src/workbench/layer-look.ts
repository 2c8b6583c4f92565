/**
 * What each layer of a file system has at a path: overlay's own question, asked layer by layer.
 *
 * Knows: overlay's marks on disk (whiteouts, opaque directories). Goes from directory to directory by descriptor, so that no link leads out of a layer.
 * Does not know: how the answers add up to what the container sees (packages/ui/src/layers/merge.ts).
 */
import type { LayerEntryKind, LayerLook, WorkbenchAnswer } from '@slipway/contracts';
import { ConfinedDirectory, type EntryStat, hasXattrAt } from '@slipway/kernel';
import { unusable } from './failures.ts';

/** Over all layers, so that an answer stays a line that may be sent. */
const MAX_ENTRIES = 2000;
const MAX_DEPTH = 64;
const OPAQUE = ['user.overlay.opaque', 'trusted.overlay.opaque'];
const NOTHING: LayerLook = { at: 'missing', hides: false, entries: [], truncated: false };

/**
 * @param directories lowest first, each the root of a layer; one that is gone has nothing
 * @param path as the container sees it
 * @throws `failed-precondition` / `E_WORKBENCH_PATH`
 */
export function lookInLayers(directories: readonly string[], path: string): WorkbenchAnswer<'layers'> {
  const names = pathNames(path);
  const room = { left: MAX_ENTRIES };
  const layers = directories.map((directory) => lookInLayer(directory, names, room));
  return { path: `/${names.join('/')}`, layers };
}

/** The single names of a path from `/`. @throws `failed-precondition` / `E_WORKBENCH_PATH` */
export function pathNames(path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..') || path.includes('\0') || names.length > MAX_DEPTH) {
    throw unusable('the path leads upwards, is too deep or has a null byte in it', 'E_WORKBENCH_PATH', 'write it from / down');
  }
  return names;
}

function lookInLayer(root: string, names: readonly string[], room: { left: number }): LayerLook {
  let directory = open(root);
  if (directory === undefined) return NOTHING;
  let hides = false;
  try {
    for (const [index, name] of names.entries()) {
      const info = directory.stat(name);
      if (info === undefined) return { ...NOTHING, hides };
      const kind = kindOf(info);
      const child: ConfinedDirectory | undefined = kind === 'directory' ? directory.findChild(name) : undefined;
      const isLast = index === names.length - 1;
      // A file or a whiteout where the path goes on: for this layer and all below there is nothing.
      if (child === undefined) return { ...NOTHING, at: isLast ? kind : 'missing', hides: true };
      hides ||= isOpaque(directory, name);
      directory.close();
      directory = child;
    }
    return { at: 'directory', hides, ...listed(directory, room) };
  } finally {
    directory.close();
  }
}

function open(root: string): ConfinedDirectory | undefined {
  try {
    return ConfinedDirectory.open(root);
  } catch {
    return undefined; // removed with its container or image
  }
}

function listed(directory: ConfinedDirectory, room: { left: number }): Pick<LayerLook, 'entries' | 'truncated'> {
  const names = directory.list().sort();
  const taken = names.slice(0, room.left);
  const entries = taken.flatMap((name) => {
    const info = directory.stat(name);
    if (info === undefined) return []; // gone at this moment, or a name that is no UTF-8
    const kind = kindOf(info);
    const isFile = kind === 'file';
    return [{ name, kind, sizeBytes: isFile ? Number(info.size) : 0, blocksBytes: isFile ? Number(info.blocks) * 512 : 0 }];
  });
  room.left -= taken.length;
  return { entries, truncated: entries.length < names.length };
}

function kindOf(info: EntryStat): LayerEntryKind {
  if (info.isCharacterDevice() && info.rdev === 0n) return 'whiteout';
  if (info.isDirectory()) return 'directory';
  if (info.isSymbolicLink()) return 'symlink';
  return info.isFile() ? 'file' : 'device';
}

function isOpaque(parent: ConfinedDirectory, name: string): boolean {
  return OPAQUE.some((key) => hasXattrAt(parent.fd, name, key));
}
