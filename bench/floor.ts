/**
 * The floors: native/floor.c and exec-floor.c, compiled when newer than their programs.
 *
 * Knows: how one round of it is run, without a cgroup and with one. The second is mostly a wait: before the first move of a process between
 *   cgroups after a pause, the kernel lets a grace period pass (packages/cgroups/src/ready-moves.ts), and no container is born without.
 * Does not know: who is compared with it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { detectCgroups, openCgroup } from '@slipway/cgroups';
import { CHECKOUT, type Workplace } from './workplace.ts';

const PROGRAM = `${CHECKOUT}/build/floor`;
const EXEC_PROGRAM = `${CHECKOUT}/build/exec-floor`;

export const compileFloor = () => compile(`${CHECKOUT}/bench/native/floor.c`, PROGRAM);
export const compileExecFloor = () => compile(`${CHECKOUT}/bench/native/exec-floor.c`, EXEC_PROGRAM);

/** Unless it has been since the source changed. */
export function compile(source: string, program: string): void {
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > statSync(source).mtimeMs) return;
  mkdirSync(`${CHECKOUT}/build`, { recursive: true });
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source], { stdio: 'inherit' });
}

/** Milliseconds until a process of ours has begun in the container of `pid`; with `procsFiles`, in those groups. */
export function runExecFloor(pid: number, procsFiles: readonly string[] = []): number {
  return Number(execFileSync(EXEC_PROGRAM, [String(pid), ...procsFiles], { encoding: 'utf8' })) / 1e6;
}

export interface FloorRound {
  /** Directories of the layers, as in overlay's lowerdir. */
  readonly lower: string;
  /** The process sleeps as long before it begins. */
  readonly pauseMs: number;
  /** `cgroup.procs` files of the groups that it joins. */
  readonly procsFiles?: readonly string[];
}

/** Milliseconds of one round, in a directory that no round used before. */
export function runFloor(place: Workplace, { lower, pauseMs, procsFiles = [] }: FloorRound): number {
  const work = mkdtempSync(place.path('floor-'));
  return Number(execFileSync(PROGRAM, ['1', String(pauseMs), lower, work, ...procsFiles], { encoding: 'utf8' })) / 1e6;
}

/** Makes a group in every hierarchy, as a container has them; goes with the workplace. Returns its `cgroup.procs` files. */
export function makeFloorCgroup(place: Workplace): readonly string[] {
  const cgroup = openCgroup(detectCgroups(), { id: 'floor', cgroupsPath: `${place.cgroup}/floor` });
  cgroup.create();
  return cgroup.procsFiles();
}
