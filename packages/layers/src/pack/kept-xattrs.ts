/**
 * Which attributes belong to a file rather than to the host it happens to lie on.
 *
 * Knows: names.
 * Does not know: values.
 */
import type { Xattrs } from '@slipway/kernel/trees';

/** Overlay's bookkeeping; and labels that mean something to one host's policy only. */
const HOST_BOUND = /^((trusted|user)\.overlay\.|security\.(selinux|ima|evm|apparmor|SMACK)|system\.nfs4_acl|btrfs\.)/;

export function keptXattrs(xattrs: Xattrs): Xattrs {
  return xattrs.size === 0 ? xattrs : new Map([...xattrs].filter(([name]) => !HOST_BOUND.test(name)));
}
