/**
 * What stands at a path of a stack of layers, without mounting it.
 *
 * Knows: that upper layers win, whiteouts, and links inside the root.
 * Does not know: what is done with the answer.
 */
import { ConfinedDirectory, type EntryStat, isErrno } from '@slipway/kernel';
import { cleanPath } from './file-tree.ts';

export interface LayerPlace {
  readonly kind: 'directory' | 'other' | 'missing';
  /** The path without links, as far as anything is there. */
  readonly path: string;
}

/** Rights of a directory. */
export interface DirectoryRights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const MAX_LINKS = 40;

/** `layers` topmost first; `path` absolute. Links are followed, and cannot lead out. */
export function placeInLayers(layers: readonly string[], path: string, links = 0): LayerPlace {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const at: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (part === '..') {
      at.pop();
      continue;
    }
    const found = lookUp(layers, [...at, part]);
    const rest = parts.slice(index + 1);
    const here = `/${cleanPath([...at, part, ...rest].join('/'))}`;
    if (found === undefined) return { kind: 'missing', path: here };
    if (found.link !== undefined) {
      if (links >= MAX_LINKS) return { kind: 'missing', path: here };
      const base = found.link.startsWith('/') ? '' : at.join('/');
      return placeInLayers(layers, `/${base}/${found.link}/${rest.join('/')}`, links + 1);
    }
    if (found.rights === undefined) return { kind: rest.length === 0 ? 'other' : 'missing', path: here };
    at.push(part);
  }
  return { kind: 'directory', path: `/${at.join('/')}` };
}

/** Of the directory at a path without links; undefined when there is none. */
export function directoryInLayers(layers: readonly string[], path: string): DirectoryRights | undefined {
  return lookUp(layers, path.split('/').filter(Boolean))?.rights;
}

interface Found {
  /** Of a directory, and only of one. */
  readonly rights?: DirectoryRights;
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
        return { ...rightsOf(stat), ...(stat.isSymbolicLink() ? { link: directory.readLink(part) } : {}) };
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

function rightsOf(stat: EntryStat): Pick<Found, 'rights'> {
  if (!stat.isDirectory()) return {};
  const { mode, uid, gid } = stat;
  return { rights: { mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid) } };
}
