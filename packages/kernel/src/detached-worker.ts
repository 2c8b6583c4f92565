/**
 * Child processes of our own that outlive us: they get their work on stdin, and write what happens into a file that anybody may read later.
 *
 * Knows: how to start one so that nothing of ours holds it, and how to find it again.
 * Does not know: what it does.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { findProcStat } from './proc.ts';

export interface DetachedRequest {
  /** The module to run. */
  readonly module: URL;
  /** All of its stdin: secrets belong here, where no other process sees them. */
  readonly input: string;
  /** Made, 0600: the child's descriptor 3 appends to it. */
  readonly linesPath: string;
  /** See WorkerRequest. */
  readonly compileCacheDir?: string;
}

/** Identifies a process for good, see isSameProcess. */
export interface DetachedProcess {
  readonly pid: number;
  readonly startTime: string;
}

/** Starts it in a session of its own, with an environment made here. @throws an Error when it ended at once */
export async function startDetached({ module, input, linesPath, compileCacheDir }: DetachedRequest): Promise<DetachedProcess> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
  const lines = openSync(linesPath, flags, 0o600);
  try {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', module.pathname], {
      stdio: ['pipe', 'ignore', 'ignore', lines],
      env: {
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        LC_ALL: 'C',
        ...(compileCacheDir === undefined ? {} : { NODE_COMPILE_CACHE: compileCacheDir }),
      },
      cwd: '/',
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.stdin?.once('error', reject);
      child.stdin?.end(input, () => resolve());
    });
    child.unref();
    const startTime = child.pid === undefined ? undefined : findProcStat(child.pid)?.startTime;
    if (child.pid === undefined || startTime === undefined) throw new Error('the process ended at once');
    return { pid: child.pid, startTime };
  } finally {
    closeSync(lines);
  }
}
