/**
 * What stands at a path of a stack of layers, without mounting it.
 *
 * Knows: that upper layers win, whiteouts, and links inside the root.
 * Does not know: what is done with the answer.
 */
import { ConfinedDirectory, isErrno } from '@slipway/kernel';

export type PathKind = 'directory' | 'other' | 'missing';

const MAX_LINKS = 40;

/** `layers` topmost first; `path` absolute. Links are followed, and cannot lead out. */
export function kindInLayers(layers: readonly string[], path: string, links = 0): PathKind {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const at: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === '..') {
      at.pop();
      continue;
    }
    const found = lookUp(layers, [...at, part]);
    if (found === undefined) return 'missing';
    if (found.link !== undefined) {
      if (links >= MAX_LINKS) return 'missing';
      const base = found.link.startsWith('/') ? '' : at.join('/');
      return kindInLayers(layers, `/${base}/${found.link}/${parts.slice(index + 1).join('/')}`, links + 1);
    }
    if (!found.isDirectory) return index === parts.length - 1 ? 'other' : 'missing';
    at.push(part);
  }
  return 'directory';
}

interface Found {
  readonly isDirectory: boolean;
  readonly link?: string;
}

/** In the topmost layer that says anything about the path. */
function lookUp(layers: readonly string[], parts: readonly string[]): Found | undefined {
  for (const layer of layers) {
    const answer = inLayer(layer, parts);
    if (answer === 'hidden') return undefined;
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function inLayer(layer: string, parts: readonly string[]): Found | 'hidden' | undefined {
  let directory = ConfinedDirectory.open(layer);
  try {
    for (const [index, part] of parts.entries()) {
      const stat = directory.stat(part);
      if (stat === undefined) return undefined;
      if (stat.isCharacterDevice() && stat.rdev === 0n) return 'hidden';
      if (index === parts.length - 1) {
        return { isDirectory: stat.isDirectory(), ...(stat.isSymbolicLink() ? { link: directory.readLink(part) } : {}) };
      }
      const next = directory.findChild(part);
      if (next === undefined) return 'hidden';
      directory.close();
      directory = next;
    }
    return undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  } finally {
    directory.close();
  }
}
