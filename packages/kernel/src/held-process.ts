/**
 * A process that does nothing, for where the kernel or a manager wants one before the right one exists.
 *
 * Knows: that it ends with us, however we end: it reads from a pipe that only we hold, until there is nobody to write.
 * Does not know: what it stands in for.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface HeldProcess {
  readonly pid: number;
  /** Resolves when it is gone. Idempotent. */
  end(): Promise<void>;
}

/** @throws the kernel's error */
export async function holdProcess(): Promise<HeldProcess> {
  const child = spawn('/bin/cat', [], { stdio: ['pipe', 'ignore', 'ignore'], env: {}, cwd: '/', detached: true });
  const gone = once(child, 'exit');
  await Promise.race([once(child, 'spawn'), gone]);
  return {
    pid: child.pid ?? 0,
    end: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
