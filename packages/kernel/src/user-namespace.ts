/**
 * Whether this process runs in the machine's first user namespace.
 *
 * Knows: the one id map that only the first user namespace has.
 * Does not know: what is refused elsewhere; callers do.
 */
import { readFileSync } from 'node:fs';

/** True in any user namespace but the first: device nodes and `trusted.*` attributes are refused there. */
export function inUserNamespace(): boolean {
  const map = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return map.join(' ') !== '0 0 4294967295';
}
