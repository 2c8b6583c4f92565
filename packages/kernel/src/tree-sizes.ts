/**
 * What several trees take on disk, counted in one go.
 *
 * Knows: coreutils' du, which adds up blocks (st_blocks) and counts a file with several names once, whichever of the trees they are in.
 * Does not know: what the trees are.
 */
import { execFile } from 'node:child_process';

/** Paths given to one du: far below what an argument list may hold. */
const AT_ONCE = 500;
const MAX_OUTPUT = 4 * 1024 * 1024;

/** Bytes of blocks by path, of its own file system only; a path that is gone is left out. Files that vanish meanwhile do not count. */
export async function treeSizes(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (let at = 0; at < paths.length; at += AT_ONCE) {
    const output = await du(paths.slice(at, at + AT_ONCE));
    for (const line of output.split('\0')) {
      const [, bytes, path] = /^(\d+)\t(.*)$/s.exec(line) ?? [];
      if (bytes !== undefined && path !== undefined) sizes.set(path, Number(bytes));
    }
  }
  return sizes;
}

/** Exits with 1 when something vanished while it counted; what it could count is still the answer. */
function du(paths: readonly string[]): Promise<string> {
  const args = ['--null', '--summarize', '--block-size=1', '--one-file-system', '--', ...paths];
  const options = { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }, maxBuffer: MAX_OUTPUT };
  return new Promise((resolve, reject) => {
    execFile('du', args, options, (error, stdout) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve(stdout);
    });
  });
}
