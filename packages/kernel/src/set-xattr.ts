/**
 * Extended attributes, of which Node knows nothing: setfattr and getfattr (package `attr`) do it where they are installed.
 *
 * Knows: their command lines.
 * Does not know: which attributes are safe to set.
 */
import { spawnSync } from 'node:child_process';

/**
 * Sets one attribute of `name` in the directory open as `directoryFd`, links not followed. The child gets that descriptor and no path.
 * False when it could not be done: not permitted here, not supported by the file system, or setfattr missing.
 */
export function setXattrAt(directoryFd: number, name: string, attribute: { readonly key: string; readonly value: Uint8Array }): boolean {
  const value = `0x${Buffer.from(attribute.value).toString('hex')}`;
  const args = ['--no-dereference', `--name=${attribute.key}`, `--value=${value}`, `/proc/self/fd/3/${name}`];
  const { status, error } = spawnSync('setfattr', args, {
    stdio: ['ignore', 'ignore', 'ignore', directoryFd],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  return error === undefined && status === 0;
}

/**
 * Whether `name` in the directory open as `directoryFd` has the attribute and it may be read, links not followed.
 * False also when getfattr is missing.
 */
export function hasXattrAt(directoryFd: number, name: string, key: string): boolean {
  const { status, error } = spawnSync('getfattr', ['--no-dereference', `--name=${key}`, `/proc/self/fd/3/${name}`], {
    stdio: ['ignore', 'ignore', 'ignore', directoryFd],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  return error === undefined && status === 0;
}
