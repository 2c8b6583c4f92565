/**
 * The floor: native/floor.c, compiled when it is newer than its program.
 *
 * Knows: how one round of it is run.
 * Does not know: who is compared with it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { CHECKOUT, type Workplace } from './workplace.ts';

const SOURCE = `${CHECKOUT}/bench/native/floor.c`;
const PROGRAM = `${CHECKOUT}/build/floor`;

export function compileFloor(): void {
  const built = statSync(PROGRAM, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > statSync(SOURCE).mtimeMs) return;
  mkdirSync(`${CHECKOUT}/build`, { recursive: true });
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', PROGRAM, SOURCE], { stdio: 'inherit' });
}

/** Milliseconds of one round over the layers `lower`, in a directory that no round used before. */
export function runFloor(place: Workplace, lower: string): number {
  const work = mkdtempSync(place.path('floor-'));
  return Number(execFileSync(PROGRAM, ['1', lower, work], { encoding: 'utf8' })) / 1e6;
}
