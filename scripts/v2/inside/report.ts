/**
 * A line for each check, and the sum at the end.
 *
 * Knows: how checks, commands and waiting look in here.
 * Does not know: what is checked.
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

export const CHECKOUT = '/opt/slipway';
/** Everything is some twenty times slower here than on the machine that emulates this one. */
const PATIENCE_MS = 60_000;

const counts = { passed: 0, failed: 0 };

/** Runs one check; a failure is told, and the next one runs. */
export async function check(title: string, body: () => Promise<void> | void): Promise<void> {
  const started = performance.now();
  try {
    await body();
    counts.passed += 1;
    tell(`✓ ${title} (${seconds(started)})`);
  } catch (error) {
    counts.failed += 1;
    tell(`✗ ${title} (${seconds(started)})\n    ${explain(error).replaceAll('\n', '\n    ')}`);
  }
}

/** Runs groups of checks, in order; what goes wrong between checks fails the job too. */
export async function runGroups(groups: Readonly<Record<string, () => Promise<void>>>): Promise<void> {
  for (const [name, group] of Object.entries(groups)) {
    await group().catch((error: unknown) => check(`the checks of ${name} come to an end`, () => Promise.reject(error)));
  }
}

/** Prints the sum. @returns the exit code */
export function conclude(): number {
  tell(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. */
export function run(program: string, ...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, killSignal: 'SIGKILL' } as const;
    execFile(program, args, options, (error: ExecFileException | null, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 255;
      resolve({ code, stdout: stdout.trim(), stderr: stderr.trim() });
    });
  });
}

/** Waits for a condition. @throws with `what` when it does not come */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; !(await condition()); await sleep(50)) {
    if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`);
  }
}

/** A control file without its last line break. */
export function control(group: string, file: string): string {
  return readFileSync(`${group}/${file}`, 'utf8').trim();
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/** An assertion's own message shows what was expected and found. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${explain(error.cause)}`;
  return `${error.message}${cause}`;
}
