/**
 * Running a program of the host, such as modprobe or newuidmap.
 *
 * Knows: a fixed environment, bounded output, a deadline that ends the program's whole process group.
 * Does not know: shells; arguments reach the program as they stand.
 */
import { spawn } from 'node:child_process';
import * as os from 'node:os';
import { EngineError } from '@slipway/errors';

/** Nothing of our own environment reaches a program: it may hold tokens, and LD_PRELOAD or NODE_OPTIONS would be obeyed. */
export const PROGRAM_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  HOME: '/',
} as const;

export interface ProgramRequest {
  /** Found on the fixed PATH unless absolute. */
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  /** Working directory; `/` when absent. */
  readonly cwd?: string;
  /** Added to the fixed environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Killed with its process group after this time; 30 000 when absent. */
  readonly timeoutMs?: number;
  /** Of stdout and of stderr; what comes after is dropped and `truncated` set. 1 MiB when absent. */
  readonly maxOutputBytes?: number;
}

export interface ProgramResult {
  /** 128+n for signal n. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

/**
 * Runs a program to its end; a non-zero exit code is a result, not an error.
 *
 * @throws EngineError `unsupported` / `E_PROGRAM_MISSING`; `unavailable` / `E_PROGRAM_TIMEOUT`
 */
export async function runProgram(request: ProgramRequest): Promise<ProgramResult> {
  const { program, timeoutMs = 30_000, maxOutputBytes = 1_048_576 } = request;
  // A group of its own, so that the deadline reaches children that the program left behind.
  const child = spawn(program, [...request.args], {
    cwd: request.cwd ?? '/',
    env: { ...PROGRAM_ENVIRONMENT, ...request.env },
    stdio: 'pipe',
    detached: true,
  });
  const stdout = collect(child.stdout, maxOutputBytes);
  const stderr = collect(child.stderr, maxOutputBytes);
  let timedOut = false;
  const deadline = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, timeoutMs);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', (cause) => reject(programMissing(program, cause)));
      child.on('close', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
      child.stdin.on('error', () => {}); // EPIPE: the program ended without reading everything, which is its right.
      child.stdin.end(request.stdin ?? '');
    });
    if (timedOut) throw tooSlow(program, timeoutMs);
    return { exitCode, stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.truncated() || stderr.truncated() };
  } finally {
    clearTimeout(deadline);
  }
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number): { text(): string; truncated(): boolean } {
  const chunks: Buffer[] = [];
  let total = 0;
  stream.on('data', (chunk: Buffer) => {
    if (total < maxBytes) chunks.push(chunk.subarray(0, maxBytes - total));
    total += chunk.length;
  });
  return { text: () => Buffer.concat(chunks).toString('utf8'), truncated: () => total > maxBytes };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in the meantime.
  }
}

function signalNumber(signal: NodeJS.Signals | null): number {
  return signal === null ? 0 : os.constants.signals[signal];
}

/** Of a program of the host that cannot be run. */
export function programMissing(program: string, cause: unknown): EngineError {
  return new EngineError('unsupported', `cannot run ${JSON.stringify(program)}`, {
    code: 'E_PROGRAM_MISSING',
    op: 'program.run',
    subject: program,
    hint: `install the package that provides ${program}`,
    cause,
  });
}

function tooSlow(program: string, timeoutMs: number): EngineError {
  return new EngineError('unavailable', `${JSON.stringify(program)} did not end within ${timeoutMs} ms`, {
    code: 'E_PROGRAM_TIMEOUT',
    op: 'program.run',
    subject: program,
  });
}
