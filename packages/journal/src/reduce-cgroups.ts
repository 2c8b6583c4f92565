/**
 * Whole pictures of the machine's cgroups into short histories.
 *
 * Knows: a path names a cgroup; the last sixty samples are enough to draw a line.
 * Does not know: limits' meaning or the tree (view-cgroups.ts).
 */
import { lingering } from './lingering.ts';
import { currentCause } from './reduce-causes.ts';
import type { CgroupSample } from './types.ts';
import { type CgroupPoint, LIMITS, type World, type WorldCgroup } from './world.ts';

export function reduceCgroups(world: World, samples: readonly CgroupSample[], atMs: number): World {
  const cause = currentCause(world, atMs);
  const first = world.cgroups.length === 0;
  const known = new Map(world.cgroups.map((entry) => [entry.sample.path, entry]));
  const present = samples.map((sample): WorldCgroup => {
    const before = known.get(sample.path);
    known.delete(sample.path);
    if (!before || before.goneAtMs !== undefined) {
      return { sample, history: [point(sample, atMs)], appearedAtMs: first ? 0 : atMs, ...(cause && !first && { appearedBy: cause }) };
    }
    const { appearedAtMs, appearedBy, history } = before;
    const next = [...history.slice(1 - LIMITS.historyPoints), point(sample, atMs)];
    return { sample, history: next, appearedAtMs, ...(appearedBy && { appearedBy }) };
  });
  const gone = [...known.values()].map(
    (entry): WorldCgroup => (entry.goneAtMs === undefined ? { ...entry, goneAtMs: atMs, ...(cause && { goneBy: cause }) } : entry),
  );
  return {
    ...world,
    cgroups: [...present, ...lingering(gone, ({ sample }) => sample.container, atMs)].sort((a, b) => compare(a.sample.path, b.sample.path)),
  };
}

function point(sample: CgroupSample, atMs: number): CgroupPoint {
  const { memoryBytes, cpuFraction, pids } = sample;
  return {
    atMs,
    ...(memoryBytes !== undefined && { memoryBytes }),
    ...(cpuFraction !== undefined && { cpuFraction }),
    ...(pids !== undefined && { pids }),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
