/**
 * One daemon per root: a lock that the kernel lets go of when its holder ends, however it ends.
 *
 * Knows: which file of the root is locked, and that it says who has it.
 * Does not know: what the root holds.
 */
import { readFileSync } from 'node:fs';
import { EngineError } from '@slipway/errors';
import { tryLockFile } from '@slipway/kernel';

/**
 * Takes the lock of `root`. Returns how to give it back.
 *
 * @throws failed-precondition / E_ROOT_LOCKED naming the daemon that has it
 */
export function lockRoot(root: string): () => void {
  const path = `${root}/slipwayd.lock`;
  const release = tryLockFile(path, `${process.pid}\n`);
  if (release !== undefined) return release;
  throw new EngineError(
    'failed-precondition',
    `the root "${root}" is in use by the slipwayd with pid ${readFileSync(path, 'utf8').trim()}`,
    {
      code: 'E_ROOT_LOCKED',
      op: 'daemon.start',
      subject: root,
      hint: 'stop that one first, or give this one another --root and --state',
    },
  );
}
