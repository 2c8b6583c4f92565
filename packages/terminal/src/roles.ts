/**
 * Who may do what on a terminal.
 *
 * Knows: the three roles. It imports nothing.
 * Does not know: how somebody came by a role.
 */

/** `owner` and `co-driver` type and resize; `viewer` only sees, and not even its emulator's automatic replies get through. */
export type TerminalRole = 'owner' | 'co-driver' | 'viewer';

export function mayType(role: TerminalRole): boolean {
  return role !== 'viewer';
}
