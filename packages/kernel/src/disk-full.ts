/**
 * Whether something failed for want of space.
 *
 * Knows: how the kernel and SQLite say so.
 * Does not know: whose space it was.
 */
import { isErrno } from './confined.ts';

/** SQLITE_FULL. */
const SQLITE_FULL = 13;

export function isDiskFull(error: unknown): boolean {
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return true;
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_FULL;
}
