/**
 * Child processes of our own that get their work as open descriptors and answer in lines of JSON.
 *
 * Knows: how to start this same Node on a module, and how to end it.
 * Does not know: what the worker does.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

export interface WorkerRequest {
  /** The module to run; `import.meta.resolve`-like file URL. */
  readonly module: URL;
  readonly args: readonly string[];
  /** Become the child's descriptors 3, 4, … in this order; still owned, and to be closed, by the caller. */
  readonly descriptors: readonly number[];
  /** Mounted before the worker runs, in a mount namespace of its own. */
  readonly mount?: WorkerMount;
  /** Takes what the worker writes to the descriptor behind those given, to its end. When it throws, the worker is ended. */
  readonly onOutput?: (bytes: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Each line the child prints, parsed. Must not throw. */
  readonly onMessage: (message: unknown) => void;
  /** Existing directory of the worker's own where Node keeps compiled sources; saves most of its start. */
  readonly compileCacheDir?: string;
  readonly signal?: AbortSignal;
}

/** An overlay that only the worker sees, at a directory that it opens itself. */
export interface WorkerMount {
  /** `lowerdir=…`, `ro` …; together at most one page. */
  readonly options: readonly string[];
  /** Existing directory. */
  readonly target: string;
}

const MOUNT_THEN_RUN = 'mount -n -t overlay -o "$1" -- overlay "$2"; shift 2; exec "$@"';

export interface WorkerExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last 4 KiB of what it wrote to stderr. */
  readonly stderr: string;
}

/**
 * Runs one worker to its end. The child's environment is made here, so that nothing of ours reaches it.
 *
 * @throws what `onOutput` throws, once the worker has been ended
 */
export async function runWorker(request: WorkerRequest): Promise<WorkerExit> {
  const { program, args } = commandLine(request);
  const outputs = request.onOutput === undefined ? [] : ['pipe' as const];
  const child = spawn(program, [...args], {
    // Nothing is ever written to its stdin: that it closes tells the worker that we are gone.
    stdio: ['pipe', 'pipe', 'pipe', ...request.descriptors, ...outputs],
    ...surroundings(request),
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4096);
  });
  if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => request.onMessage(parseLine(line)));
  const ended = new Promise<WorkerExit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  const output = child.stdio[3 + request.descriptors.length];
  if (request.onOutput === undefined || !(output instanceof Readable)) return ended;
  const taken = request.onOutput(output).then(
    () => undefined,
    (error: unknown) => {
      child.kill('SIGKILL');
      output.destroy();
      return { error };
    },
  );
  const [exit, failure] = await Promise.all([ended, taken]);
  // A worker that ended badly says more than the stream that broke off with it.
  if (failure !== undefined && (exit.code === 0 || exit.signal === 'SIGKILL')) throw failure.error;
  return exit;
}

/** A worker that does one task after the other. */
export interface WorkerSession {
  /**
   * One task; wait for its answer before the next. `descriptors` are the caller's, to be left open until it is there: the worker opens the
   * same files and directories for itself, through this process's entry in /proc, and so may be asked long after it was started.
   */
  run(task: unknown, descriptors: readonly number[]): Promise<WorkerReply>;
  /** Ends the worker. */
  close(): Promise<void>;
}

export interface WorkerReply {
  /** undefined when the worker ended without one. */
  readonly answer: unknown;
  /** How it ended, in that case. */
  readonly end: string;
}

/** Starts a worker at once, so that it is ready when the first task comes. See workerDescriptor.serve for its side. */
export function openWorkerSession(request: Pick<WorkerRequest, 'module' | 'compileCacheDir' | 'signal'>): WorkerSession {
  const { program, args } = commandLine({ module: request.module, args: ['session', String(process.pid)] });
  const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'pipe'], ...surroundings(request) });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4096);
  });
  let waiting: ((reply: WorkerReply) => void) | undefined;
  const settle = (reply: WorkerReply) => {
    waiting?.(reply);
    waiting = undefined;
  };
  let end: string | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => settle({ answer: parseLine(line), end: '' }));
  const ended = new Promise<void>((resolve) => {
    const finish = (how: string) => {
      end ??= how;
      settle({ answer: undefined, end });
      resolve();
    };
    child.once('error', (error) => finish(error.message)); // also its end by the signal, which the caller has
    child.once('close', (code, signal) => finish(`${signal ?? `exit code ${code}`}: ${stderr.trim()}`));
  });
  child.stdin.on('error', () => undefined); // it has ended, and that is told
  return {
    run: (task, descriptors) => {
      if (end !== undefined) return Promise.resolve({ answer: undefined, end });
      const reply = new Promise<WorkerReply>((resolve) => {
        waiting = resolve;
      });
      child.stdin.write(`${JSON.stringify({ task, descriptors })}\n`);
      return reply;
    },
    close: () => {
      child.stdin.end();
      return ended;
    },
  };
}

function surroundings({ compileCacheDir, signal }: Pick<WorkerRequest, 'compileCacheDir' | 'signal'>) {
  return {
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      ...(compileCacheDir === undefined ? {} : { NODE_COMPILE_CACHE: compileCacheDir }),
    },
    cwd: '/',
    ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' as const }),
  };
}

/** With a mount, the worker is started below unshare(1) and mount(8): what they mount is seen by it alone and goes with it. */
function commandLine({ module, args, mount }: Pick<WorkerRequest, 'module' | 'args' | 'mount'>): {
  readonly program: string;
  readonly args: readonly string[];
} {
  const options = ['--disable-warning=ExperimentalWarning', module.pathname, ...args];
  if (mount === undefined) return { program: process.execPath, args: options };
  const steps = [mount.options.join(','), mount.target, process.execPath, ...options];
  return { program: 'unshare', args: ['--mount', '--propagation', 'private', '--', 'sh', '-ec', MOUNT_THEN_RUN, 'sh', ...steps] };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
