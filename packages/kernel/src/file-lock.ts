/**
 * A lock that the kernel keeps: flock(2), which goes with its holder however that ends.
 *
 * Knows: that Node has no such call, and that a lock taken through a shared descriptor stays when the program that took it ends.
 * Does not know: what is locked, or what the file says.
 *
 * @see flock(1), flock(2)
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { PROGRAM_ENVIRONMENT, programMissing } from './program.ts';

/** What flock(1) ends with when somebody else has the lock. */
const HELD = 1;

/**
 * Takes the lock of the file at `path` (made 0600 when missing, a symbolic link is refused) and writes `text` into it, for people.
 * The file stays when the lock goes: whoever removed it could leave two with a lock each, of files of the same name.
 *
 * @returns how to give it back; undefined when another process, or this one, has it
 * @throws EngineError `unsupported` / `E_PROGRAM_MISSING`
 */
export function tryLockFile(path: string, text: string): (() => void) | undefined {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    if (!takeLock(fd)) {
      closeSync(fd);
      return undefined;
    }
    ftruncateSync(fd);
    writeSync(fd, text, 0);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return () => closeSync(fd);
}

function takeLock(fd: number): boolean {
  const { status, error } = spawnSync('flock', ['--nonblock', '3'], {
    env: PROGRAM_ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'ignore', fd],
  });
  if (error !== undefined) throw programMissing('flock', error);
  if (status === 0 || status === HELD) return status === 0;
  throw new Error(`flock(1) ended with ${status}`);
}
