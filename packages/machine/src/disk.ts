/**
 * A machine's disk: a sparse ext4 image of fixed size, copied from the template and mounted through a loop device.
 *
 * Knows: that whatever a learner fills or deletes ends at the edge of this file system.
 * Does not know: what is on it (scripts/make-machine-disk.ts).
 */
import { must } from './host-mounts.ts';

export interface DiskPaths {
  /** Template image, never mounted. */
  readonly template: string;
  /** This machine's copy. */
  readonly image: string;
  /** Existing empty directory to mount it on. */
  readonly mountPoint: string;
}

export async function copyDisk({ template, image }: DiskPaths): Promise<void> {
  await must('cp', ['--sparse=always', '--reflink=auto', '--', template, image]);
}

/** Mounts the copy; the loop device goes away with the mount. nosuid and nodev: nothing on it counts outside the machine. */
export async function mountDisk({ image, mountPoint }: DiskPaths): Promise<void> {
  await must('mount', ['-o', 'loop,nosuid,nodev,noinit_itable', '-t', 'ext4', '--', image, mountPoint]);
}

/** Gives everything on the disk (all of it root's, in the template) to the machine's root. */
export async function chownDisk({ mountPoint }: DiskPaths, hostId: number): Promise<void> {
  await must('chown', ['-R', '-h', `${hostId}:${hostId}`, '--', mountPoint]);
}
