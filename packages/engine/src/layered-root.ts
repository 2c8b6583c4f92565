/**
 * Reads one small file of a stack of layers as the mounted overlay would show it, without mounting it.
 *
 * Image bytes are untrusted: every component is opened by descriptor without following links, links are resolved inside the stack,
 * only regular files are read, and only so many bytes.
 *
 * Knows: whiteouts (the store writes opaque marks as whiteouts, too) and overlay's top-first lookup.
 * Does not know: what is in the file.
 */
import { ConfinedDirectory, isErrno, readRegularFile } from '@slipway/kernel';

/** Longest account file worth reading: far above any real image's, far below what would hurt. */
export const ACCOUNT_FILE_LIMIT = 1024 * 1024;
const MAX_LINKS = 20;

/**
 * The text at `path` (absolute inside the root) in layers given top first; undefined when it is missing or no regular file.
 *
 * @throws RangeError when the file is larger than `maxBytes`
 */
export function readInLayers(layers: readonly string[], path: string, maxBytes = ACCOUNT_FILE_LIMIT): string | undefined {
  let wanted = split(path);
  for (let links = 0; links <= MAX_LINKS; links++) {
    const found = lookUp(layers, wanted, maxBytes);
    if (found === undefined || typeof found === 'string') return found;
    wanted = found.next;
  }
  return undefined;
}

type Found = string | { readonly next: readonly string[] } | undefined;

/** One pass without links: text, nothing, or the path a link sends us to. */
function lookUp(layers: readonly string[], parts: readonly string[], maxBytes: number): Found {
  for (const layer of layers) {
    const root = ConfinedDirectory.open(layer);
    const answer = lookUpInLayer(root, parts, maxBytes);
    if (answer !== 'absent') return answer === 'hidden' ? undefined : answer.found;
  }
  return undefined;
}

type LayerAnswer = 'absent' | 'hidden' | { readonly found: Found };

/** Takes over `root` and closes it. */
function lookUpInLayer(root: ConfinedDirectory, parts: readonly string[], maxBytes: number): LayerAnswer {
  let directory = root;
  try {
    for (const [index, part] of parts.entries()) {
      const info = directory.stat(part);
      if (info === undefined) return 'absent';
      if (info.isCharacterDevice() && info.rdev === 0n) return 'hidden';
      if (info.isSymbolicLink()) return { found: { next: follow(parts, index, directory.readLink(part)) } };
      if (index === parts.length - 1) return { found: info.isFile() ? readRegularFile(directory, part, maxBytes) : undefined };
      const child = directory.findChild(part);
      if (child === undefined) return 'hidden';
      directory.close();
      directory = child;
    }
    return 'absent';
  } catch (error) {
    if (isErrno(error, 'ELOOP', 'ENOTDIR', 'ENOENT')) return 'absent';
    throw error;
  } finally {
    directory.close();
  }
}

/** Where a link leads, with `..` stopping at the root as chroot does. */
function follow(parts: readonly string[], index: number, target: string): readonly string[] {
  const base = target.startsWith('/') ? [] : parts.slice(0, index);
  return split([...base, target, ...parts.slice(index + 1)].join('/'));
}

function split(path: string): readonly string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}
