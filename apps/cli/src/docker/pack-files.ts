/**
 * Local files as a tar on its way to the engine.
 *
 * Knows: reading a tree in the order of names, and that a file may change while it is read.
 * Does not know: who asked for it.
 */
import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { type EntryInit, tarEnd, tarHeader, tarPadding } from '@slipway/layers/write';

export interface PackOptions {
  /** True for paths below the root that are left out, with everything in them unless something there is kept. */
  readonly ignored?: (path: string) => boolean;
  /** Follow the root itself if it is a symbolic link. */
  readonly follow?: boolean;
  /** Of everything; absent: as on disk. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Permission bits of everything but links; absent: as on disk. */
  readonly mode?: number;
  /** Directory of the archive that a directory's content goes into; absent: its top. */
  readonly below?: string;
  /** No end of the archive: more comes. */
  readonly open?: boolean;
}

/** What is at `root`, under `name` in the archive; `.` for a directory's content alone. */
export async function* packFiles(root: string, name: string, options: PackOptions = {}): AsyncGenerator<Uint8Array> {
  const info = options.follow ? await stat(root) : await lstat(root);
  const names = new Map<string, string>();
  if (name !== '.') yield* one(root, { name, info, names, options });
  if (info.isDirectory()) yield* inside(root, name === '.' ? (options.below ?? '') : name, { ...options, names, below: '' });
  if (options.open !== true) yield tarEnd();
}

interface Walk extends PackOptions {
  /** Inode → the first name it was written by. */
  readonly names: Map<string, string>;
  /** Path of the directory below the root. */
  readonly below: string;
}

async function* inside(directory: string, prefix: string, walk: Walk): AsyncGenerator<Uint8Array> {
  for (const entry of (await readdir(directory)).sort()) {
    const below = walk.below === '' ? entry : `${walk.below}/${entry}`;
    const path = `${directory}/${entry}`;
    const name = prefix === '' ? entry : `${prefix}/${entry}`;
    const info = await lstat(path);
    const ignored = walk.ignored?.(below) ?? false;
    if (!ignored) yield* one(path, { name, info, names: walk.names, options: walk });
    // A later rule may keep something in a directory that is left out.
    if (info.isDirectory()) yield* inside(path, name, { ...walk, below });
  }
}

interface Item {
  readonly name: string;
  readonly info: Stats;
  readonly names: Map<string, string>;
  readonly options: PackOptions;
}

async function* one(path: string, { name, info, names, options }: Item): AsyncGenerator<Uint8Array> {
  const { uid, gid } = options.owner ?? info;
  const common = { mode: options.mode ?? info.mode & 0o7777, uid, gid, mtime: Math.floor(info.mtimeMs / 1000) };
  if (info.isDirectory()) yield tarHeader({ name: `${name}/`, type: 'directory', ...common });
  else if (info.isSymbolicLink()) yield tarHeader({ name, type: 'symlink', linkName: await readlink(path), ...common });
  else if (info.isFile()) {
    const inode = `${info.dev}:${info.ino}`;
    const first = info.nlink > 1 ? names.get(inode) : undefined;
    if (info.nlink > 1 && first === undefined) names.set(inode, name);
    if (first === undefined) yield* file(path, { name, type: 'file', ...common, sizeBytes: info.size });
    else yield tarHeader({ name, type: 'hardlink', linkName: first, ...common });
  }
}

async function* file(path: string, init: EntryInit & { readonly sizeBytes: number }): AsyncGenerator<Uint8Array> {
  yield tarHeader(init);
  let sent = 0;
  if (init.sizeBytes > 0) {
    for await (const chunk of createReadStream(path, { end: init.sizeBytes - 1, highWaterMark: 256 * 1024 })) {
      sent += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
  if (sent !== init.sizeBytes) throw new Error(`${path}: changed while it was read`);
  yield tarPadding(init.sizeBytes);
}
