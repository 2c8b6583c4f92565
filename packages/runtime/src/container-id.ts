/**
 * Container ids: names that can be a directory and a cgroup, and nothing else.
 *
 * Knows: the allowed characters.
 * Does not know: which ids are taken.
 */
import { EngineError } from '@slipway/errors';

const CONTAINER_ID = /^[A-Za-z0-9][A-Za-z0-9_+.-]{0,127}$/;

/** @throws EngineError `invalid-argument` / `E_CONTAINER_ID` */
export function requireContainerId(id: string): string {
  if (CONTAINER_ID.test(id)) return id;
  throw new EngineError('invalid-argument', `invalid container id format: ${JSON.stringify(id.slice(0, 160))}`, {
    code: 'E_CONTAINER_ID',
    op: 'container.create',
    subject: id.slice(0, 160),
    hint: 'use 1 to 128 letters, digits, "_", "+", "." or "-", beginning with a letter or digit',
  });
}
