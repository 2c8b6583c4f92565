/**
 * A machine's disk: a sparse ext4 image of fixed size, copied from the template and mounted through a loop device.
 *
 * Knows: that whatever a learner fills or deletes ends at the edge of this file system.
 * Does not know: what is on it (scripts/make-machine-disk.ts).
 */
import { EngineError } from '@slipway/errors';
import { readMounts, runProgram } from '@slipway/kernel';

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

/** Quiet when it is not mounted. Detached at once, so that a stuck file handle cannot keep the machine alive. */
export async function unmountDisk(mountPoint: string): Promise<void> {
  const mounts = await readMounts();
  if (!mounts.some((mount) => mount.mountPoint === mountPoint)) return;
  const { exitCode } = await runProgram({ program: 'umount', args: ['--', mountPoint] });
  if (exitCode !== 0) await must('umount', ['--lazy', '--', mountPoint]);
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram({ program, args });
  if (exitCode === 0) return;
  const full = /No space left/i.test(stderr);
  throw new EngineError(full ? 'unavailable' : 'internal', `${program} failed: ${stderr.trim()}`, {
    code: full ? 'E_MACHINE_DISK_FULL' : 'E_MACHINE_DISK',
    op: 'machine.create',
    hint: full ? 'free some space on the host and reset the machine' : 'see the message of the program above',
  });
}
