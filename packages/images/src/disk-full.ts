/**
 * A full disk, in a sentence.
 *
 * Knows: what to try.
 * Does not know: what was being written.
 */
import { EngineError } from '@slipway/errors';

export function diskFull(op: string, cause: unknown): EngineError {
  return new EngineError('failed-precondition', 'no space left for the image', {
    code: 'E_DISK_FULL',
    op,
    hint: 'Remove images or containers that are not needed, then try again.',
    cause,
  });
}
