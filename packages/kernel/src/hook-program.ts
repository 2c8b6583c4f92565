/**
 * Running a program that somebody else chose, in an environment of their choosing: a hook.
 *
 * Knows: nothing that we opened or were told reaches it; its end counts, not that of what it leaves behind.
 * Does not know: what a hook is for, nor what its failure means.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

export interface HookProgramRequest {
  /** Absolute. */
  readonly path: string;
  /** `args[0]` is the name it is told; empty: its path. */
  readonly args: readonly string[];
  /** `NAME=value` each, and nothing else. */
  readonly env: readonly string[];
  readonly stdin: string;
  /** Killed with its process group after this time; 0: never. */
  readonly timeoutMs: number;
}

export interface HookProgramResult {
  /** `exit 3`, `signal 9`, `timeout`, `no such file …`; undefined when it ended well. */
  readonly failure: string | undefined;
  /** The first 2 KiB of what it printed to stdout and stderr; the rest is read and dropped. */
  readonly output: string;
}

const OUTPUT_BYTES = 2048;
/** What a program that has ended may have left in its pipes is there at once. */
const LAST_WORDS_MS = 100;

/** Runs a hook to its end. Never throws for what the hook does. */
export async function runHookProgram({ path, args, env, stdin, timeoutMs }: HookProgramRequest): Promise<HookProgramResult> {
  const [name = path, ...words] = args;
  const child = spawn(path, words, { argv0: name, cwd: '/', env: toRecord(env), stdio: 'pipe', detached: true });
  const chunks: Buffer[] = [];
  let kept = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      if (kept < OUTPUT_BYTES) chunks.push(chunk.subarray(0, OUTPUT_BYTES - kept));
      kept += chunk.length;
    });
  }
  child.stdin.on('error', () => {}); // A hook need not read its container's state.
  child.stdin.end(stdin);
  let timedOut = false;
  const deadline = timeoutMs === 0 ? undefined : setTimeout(() => (timedOut = killGroup(child.pid)), timeoutMs);
  const closed = once(child, 'close').catch(() => undefined);
  const ending = await new Promise<string | undefined>((resolve) => {
    child.on('error', (cause) => resolve(cause.message));
    child.on('exit', (code, signal) => resolve(describeEnd(code, signal)));
  });
  clearTimeout(deadline);
  await Promise.race([closed, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  return { failure: timedOut ? 'timeout' : ending, output: Buffer.concat(chunks).toString('utf8') };
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal !== null) return `signal ${os.constants.signals[signal]}`;
  return code === 0 ? undefined : `exit ${code}`;
}

function killGroup(pid: number | undefined): boolean {
  if (pid === undefined) return true;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
  return true;
}

function toRecord(env: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    env.map((entry) => {
      const at = entry.indexOf('=', 1);
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
