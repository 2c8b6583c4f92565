/**
 * What a machine needs mounted on the host: the host's own programs do it.
 *
 * Knows: how their failures are told.
 * Does not know: what is mounted.
 */
import { EngineError } from '@slipway/errors';
import { readMounts, runProgram } from '@slipway/kernel';

/** Runs a program to its end. @throws `unavailable` / `E_MACHINE_DISK_FULL`, `internal` / `E_MACHINE_DISK` with the program's words */
export async function must(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram({ program, args });
  if (exitCode === 0) return;
  const full = /No space left/i.test(stderr);
  throw new EngineError(full ? 'unavailable' : 'internal', `${program} failed: ${stderr.trim()}`, {
    code: full ? 'E_MACHINE_DISK_FULL' : 'E_MACHINE_DISK',
    op: 'machine.create',
    hint: full ? 'free some space on the host and reset the machine' : 'see the message of the program above',
  });
}

/** Quiet when nothing is mounted there. Detached at once, so that a stuck file handle cannot keep the machine alive. */
export async function unmount(mountPoint: string): Promise<void> {
  const mounts = await readMounts();
  if (!mounts.some((mount) => mount.mountPoint === mountPoint)) return;
  const { exitCode } = await runProgram({ program: 'umount', args: ['--', mountPoint] });
  if (exitCode !== 0) await must('umount', ['--lazy', '--', mountPoint]);
}
