/**
 * Device nodes that a machine's root may use. They cannot be made in a user namespace, and the host's own may be open to the host's root
 * alone: so each machine has nodes of its own, bound into it from outside.
 *
 * Knows: which devices, and that they stand on a file system that honours them wherever the state directory is.
 * Does not know: where the machine sees them (spec.ts).
 *
 * @see https://docs.kernel.org/admin-guide/devices.html
 */
import { must } from './host-mounts.ts';

/** What is harmless in everybody's hands: a file system served through it counts in the machine's own mount namespace. */
const DEVICES = [{ name: 'fuse', major: 10, minor: 229 }];

export const DEVICE_NAMES = DEVICES.map(({ name }) => name);

/** Makes the nodes below an existing empty directory, on a file system of their own. */
export async function mountDevices(mountPoint: string): Promise<void> {
  await must('mount', ['-t', 'tmpfs', '-o', 'nosuid,noexec,mode=755,size=64k,nr_inodes=16', '--', 'slipway-devices', mountPoint]);
  for (const { name, major, minor } of DEVICES) {
    await must('mknod', ['-m', '666', '--', `${mountPoint}/${name}`, 'c', String(major), String(minor)]);
  }
}
