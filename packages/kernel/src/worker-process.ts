/**
 * Child processes of our own that get their work as open descriptors and answer in lines of JSON.
 *
 * Knows: how to start this same Node on a module, and how to end it.
 * Does not know: what the worker does.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface WorkerRequest {
  /** The module to run; `import.meta.resolve`-like file URL. */
  readonly module: URL;
  readonly args: readonly string[];
  /** Become the child's descriptors 3, 4, … in this order; still owned, and to be closed, by the caller. */
  readonly descriptors: readonly number[];
  /** Each line the child prints, parsed. Must not throw. */
  readonly onMessage: (message: unknown) => void;
  /** Existing directory of the worker's own where Node keeps compiled sources; saves most of its start. */
  readonly compileCacheDir?: string;
  readonly signal?: AbortSignal;
}

export interface WorkerExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last 4 KiB of what it wrote to stderr. */
  readonly stderr: string;
}

/** Runs one worker to its end. The child's environment is made here, so that nothing of ours reaches it. */
export function runWorker(request: WorkerRequest): Promise<WorkerExit> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', request.module.pathname, ...request.args], {
    // Nothing is ever written to its stdin: that it closes tells the worker that we are gone.
    stdio: ['pipe', 'pipe', 'pipe', ...request.descriptors],
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      ...(request.compileCacheDir === undefined ? {} : { NODE_COMPILE_CACHE: request.compileCacheDir }),
    },
    cwd: '/',
    ...(request.signal === undefined ? {} : { signal: request.signal, killSignal: 'SIGKILL' as const }),
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4096);
  });
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => request.onMessage(parseLine(line)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  });
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
