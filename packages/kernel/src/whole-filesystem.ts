/**
 * Calls on a whole directory or file system that Node lacks.
 *
 * Knows: coreutils' sync, and copying what the kernel keeps about one directory.
 * Does not know: why.
 */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, lchownSync, lstatSync, utimesSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** Promisified when used: whoever imports this file for something else need not load node:child_process. */
const run = (program: string, args: readonly string[], options: { readonly env: NodeJS.ProcessEnv }) =>
  promisify(execFile)(program, args, options);

/** syncfs(2): everything written to the file system that holds `path` is on disk afterwards. */
export async function syncFileSystem(path: string): Promise<void> {
  await run('sync', ['--file-system', '--', path], { env: ENVIRONMENT });
}

/** {@link syncFileSystem}, time and again. */
export interface FileSystemSync {
  /** Wait for its end before the next. @throws Error in sync's words */
  run(): Promise<void>;
  close(): Promise<void>;
}

const SYNC_FOR_EACH_LINE = 'while read -r _; do sync --file-system -- "$1" || exit 1; echo done; done';

/**
 * By one process that is started at once and starts sync itself: a process as large as this one stands still for milliseconds whenever it
 * starts another. It ends with this one.
 */
export function openFileSystemSync(path: string): FileSystemSync {
  const shell = spawn('sh', ['-c', SYNC_FOR_EACH_LINE, 'sh', path], { stdio: ['pipe', 'pipe', 'pipe'], env: ENVIRONMENT, cwd: '/' });
  let waiting: PromiseWithResolvers<void> | undefined;
  let failure: Error | undefined;
  let stderr = '';
  shell.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-1000);
  });
  createInterface({ input: shell.stdout }).on('line', () => waiting?.resolve());
  const ended = new Promise<void>((resolve) => {
    const end = (why: string) => {
      failure = new Error(`sync of ${path}: ${why}`);
      waiting?.reject(failure);
      resolve();
    };
    shell.once('error', (error) => end(error.message));
    shell.once('close', (code, signal) => end(stderr.trim() || `ended with ${signal ?? code}`));
  });
  shell.stdin.on('error', () => undefined); // it has ended, and that is told
  return {
    run: () => {
      if (failure !== undefined) return Promise.reject(failure);
      waiting = Promise.withResolvers<void>();
      shell.stdin.write('\n');
      return waiting.promise;
    },
    close: () => {
      shell.stdin.end();
      return ended;
    },
  };
}

/** Gives directory `to` the mode, owner and times of directory `from`. */
export async function copyDirectoryMetadata(from: string, to: string): Promise<void> {
  const info = lstatSync(from);
  lchownSync(to, info.uid, info.gid);
  chmodSync(to, info.mode & 0o7777);
  utimesSync(to, info.atimeMs / 1000, info.mtimeMs / 1000);
}
