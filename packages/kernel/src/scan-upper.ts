/**
 * What stands in a writable overlay layer, as entries a picture can show.
 *
 * Knows: overlay's marks on disk (a whiteout is a 0:0 character device), and that the tree changes while it is read.
 * Does not know: which container it belongs to.
 */
import type { Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { isErrno } from './confined.ts';
import type { OpaqueDirectories, UpperDirectory } from './opaque-directories.ts';

export interface ScannedEntry {
  /** Absolute, from the layer's root. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'device' | 'whiteout' | 'opaque';
  readonly sizeBytes: number;
}

export interface ScannedTree {
  /** Sorted by path. */
  readonly entries: readonly ScannedEntry[];
  /** There is more than was asked for. */
  readonly truncated: boolean;
}

/**
 * Up to `limit` entries below `directory`, links not followed; empty when it is missing.
 * @param opaque absent: opaque directories are not told from others
 */
export async function scanUpper(directory: string, limit: number, opaque?: OpaqueDirectories): Promise<ScannedTree> {
  const { entries, directories, truncated } = await walk(directory, limit);
  const hiding = (await opaque?.among(directory, directories)) ?? new Set<string>();
  return { entries: sorted(entries).map((entry) => (hiding.has(entry.path) ? { ...entry, kind: 'opaque' } : entry)), truncated };
}

interface Walked extends ScannedTree {
  readonly directories: readonly UpperDirectory[];
}

async function walk(directory: string, limit: number): Promise<Walked> {
  const entries: ScannedEntry[] = [];
  const directories: UpperDirectory[] = [];
  const waiting: string[] = [''];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const name of (await list(`${directory}${next}`)).sort()) {
      if (entries.length >= limit) return { entries, directories, truncated: true };
      const path = `${next}/${name}`;
      const info = await fs.lstat(`${directory}${path}`).catch(gone);
      if (info === undefined) continue;
      entries.push(describe(path, info));
      if (!info.isDirectory()) continue;
      directories.push({ path, identity: `${info.ino} ${info.birthtimeMs}` });
      waiting.push(path);
    }
  }
  return { entries, directories, truncated: false };
}

function describe(path: string, info: Stats): ScannedEntry {
  if (info.isCharacterDevice() && info.rdev === 0) return { path, kind: 'whiteout', sizeBytes: 0 };
  const kind = info.isDirectory() ? 'directory' : info.isSymbolicLink() ? 'symlink' : info.isFile() ? 'file' : 'device';
  return { path, kind, sizeBytes: kind === 'file' ? info.size : 0 };
}

async function list(directory: string): Promise<string[]> {
  return (await fs.readdir(directory).catch(gone)) ?? [];
}

function sorted(entries: readonly ScannedEntry[]): readonly ScannedEntry[] {
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** A container's own root may remove, or replace by something else, what we are about to look at. */
function gone(error: unknown): undefined {
  if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
  throw error;
}
