/**
 * The floor: native/floor.c, compiled when it is newer than its program.
 *
 * Knows: how one round of it is run, without a cgroup and with one. The second is mostly a wait: before the first move of a process between
 *   cgroups after a pause, the kernel lets a grace period pass (packages/cgroups/src/ready-moves.ts), and no container is born without.
 * Does not know: who is compared with it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { detectCgroups, openCgroup } from '@slipway/cgroups';
import { CHECKOUT, type Workplace } from './workplace.ts';

const SOURCE = `${CHECKOUT}/bench/native/floor.c`;
const PROGRAM = `${CHECKOUT}/build/floor`;

export function compileFloor(): void {
  const built = statSync(PROGRAM, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built > statSync(SOURCE).mtimeMs) return;
  mkdirSync(`${CHECKOUT}/build`, { recursive: true });
  execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', PROGRAM, SOURCE], { stdio: 'inherit' });
}

/** Milliseconds of one round over the layers `lower`, in a directory that no round used before; with `procsFiles`, it joins those groups. */
export function runFloor(place: Workplace, lower: string, procsFiles: readonly string[] = []): number {
  const work = mkdtempSync(place.path('floor-'));
  return Number(execFileSync(PROGRAM, ['1', lower, work, ...procsFiles], { encoding: 'utf8' })) / 1e6;
}

/** Makes a group in every hierarchy, as a container has them; goes with the workplace. Returns its `cgroup.procs` files. */
export function makeFloorCgroup(place: Workplace): readonly string[] {
  const cgroup = openCgroup(detectCgroups(), { id: 'floor', cgroupsPath: `${place.cgroup}/floor` });
  cgroup.create();
  return cgroup.procsFiles();
}
