/**
 * Calls on a whole directory or file system that Node lacks.
 *
 * Knows: coreutils' sync, and copying what the kernel keeps about one directory.
 * Does not know: why.
 */
import { execFile } from 'node:child_process';
import { chmodSync, lchownSync, lstatSync, utimesSync } from 'node:fs';
import { promisify } from 'node:util';

/** Promisified when used: whoever imports this file for something else need not load node:child_process. */
const run = (program: string, args: readonly string[], options: { readonly env: NodeJS.ProcessEnv }) =>
  promisify(execFile)(program, args, options);

/** syncfs(2): everything written to the file system that holds `path` is on disk afterwards. */
export async function syncFileSystem(path: string): Promise<void> {
  await run('sync', ['--file-system', '--', path], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } });
}

/** Gives directory `to` the mode, owner and times of directory `from`. */
export async function copyDirectoryMetadata(from: string, to: string): Promise<void> {
  const info = lstatSync(from);
  lchownSync(to, info.uid, info.gid);
  chmodSync(to, info.mode & 0o7777);
  utimesSync(to, info.atimeMs / 1000, info.mtimeMs / 1000);
}
