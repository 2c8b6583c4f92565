/**
 * Device nodes and fifos, which Node cannot make itself: coreutils' mknod does it, below a directory given by descriptor.
 *
 * Knows: mknod's command line and how it reports a refusal.
 * Does not know: which nodes are wanted or allowed.
 */
import { spawnSync } from 'node:child_process';

export type NodeKind =
  | { readonly type: 'char' | 'block'; readonly major: number; readonly minor: number; readonly mode: number }
  | { readonly type: 'fifo'; readonly mode: number };

const LETTER = { char: 'c', block: 'b', fifo: 'p' } as const;

/**
 * Makes a node called `name` in the directory open as `directoryFd`. The child gets that descriptor and no path.
 *
 * @throws an errno-like error with `code` EPERM, EEXIST … where mknod says so, else `EIO`
 */
export function makeNodeAt(directoryFd: number, name: string, kind: NodeKind): void {
  const numbers = kind.type === 'fifo' ? [] : [String(kind.major), String(kind.minor)];
  const args = ['-m', (kind.mode & 0o7777).toString(8), `/proc/self/fd/3/${name}`, LETTER[kind.type], ...numbers];
  const { status, stderr, error } = spawnSync('mknod', args, {
    stdio: ['ignore', 'ignore', 'pipe', directoryFd],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw Object.assign(new Error(`mknod ${name}: ${String(stderr).trim()}`), { code: errnoOf(String(stderr)) });
}

function errnoOf(message: string): string {
  if (message.includes('Operation not permitted')) return 'EPERM';
  if (message.includes('File exists')) return 'EEXIST';
  if (message.includes('No space left')) return 'ENOSPC';
  return 'EIO';
}
