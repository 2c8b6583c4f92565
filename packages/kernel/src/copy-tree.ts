/**
 * Whole trees: copying one with everything the kernel keeps about its files, and measuring one.
 *
 * Knows: coreutils' cp and du, which do this completely (links, holes, attributes, devices).
 * Does not know: snapshots.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Promisified when used: whoever imports this file for something else need not load node:child_process. */
const run = (program: string, args: readonly string[], options: { readonly env: NodeJS.ProcessEnv }) =>
  promisify(execFile)(program, args, options);
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** Copies the contents of directory `from` into the existing directory `to`, the directory's own metadata included. */
export async function copyTree(from: string, to: string): Promise<void> {
  await run('cp', ['--archive', '--reflink=auto', '--sparse=auto', '--', `${from}/.`, to], { env: ENV });
}

export interface TreeUsage {
  /** Blocks on disk, in bytes; a hard-linked file counts once. */
  readonly sizeBytes: number;
  readonly inodes: number;
}

/** What a tree takes on its file system. Files that vanish meanwhile are left out. */
export async function treeUsage(path: string): Promise<TreeUsage> {
  const [blocks, inodes] = await Promise.all([
    du(['--summarize', '--block-size=1', '--one-file-system', path]),
    du(['--summarize', '--inodes', '--one-file-system', path]),
  ]);
  return { sizeBytes: blocks, inodes };
}

async function du(args: string[]): Promise<number> {
  // du exits 1 when a file vanished while it counted; its sum is still the answer.
  const { stdout } = await run('du', args, { env: ENV }).catch((error: { stdout?: string }) => {
    if (error.stdout) return { stdout: error.stdout };
    throw error;
  });
  return Number.parseInt(stdout, 10);
}
