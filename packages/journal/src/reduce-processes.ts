/**
 * Whole pictures of the machine's processes into lives: who came, who went, and why.
 *
 * Knows: pid and start time together name a process.
 * Does not know: parents and trees (view-processes.ts).
 */
import { replaceAt, sameData } from './arrays.ts';
import { lingering } from './lingering.ts';
import { currentCause } from './reduce-causes.ts';
import type { KernelProcessEvent, ProcessFact } from './types.ts';
import type { World, WorldProcess } from './world.ts';

/** A picture replaces the one before; who is missing from it has ended, and stays visible for a while. */
export function reduceProcesses(world: World, facts: readonly ProcessFact[], atMs: number): World {
  const cause = currentCause(world, atMs);
  const first = world.processes.length === 0; // what was there before anybody looked did not "appear"
  const known = new Map(world.processes.map((entry) => [entry.key, entry]));
  const present = facts.map((fact): WorldProcess => {
    const key = processKey(fact);
    const before = known.get(key);
    known.delete(key);
    if (!before) return { key, fact, appearedAtMs: first ? 0 : atMs, ...(cause && !first && { appearedBy: cause }) };
    if (before.goneAtMs === undefined && sameData(before.fact, fact)) return before;
    const { appearedAtMs, appearedBy } = before;
    return { key, fact, appearedAtMs, ...(appearedBy && { appearedBy }) };
  });
  const gone = [...known.values()].map(
    (entry): WorldProcess => (entry.goneAtMs === undefined ? { ...entry, goneAtMs: atMs, ...(cause && { goneBy: cause }) } : entry),
  );
  const processes = [...present, ...lingering(gone, ({ fact }) => fact.container, atMs)].sort(
    (a, b) => a.fact.pid - b.fact.pid || a.appearedAtMs - b.appearedAtMs,
  );
  return { ...world, processes };
}

/** The kernel said so before the next picture does. A thread's end, which looks the same, is corrected by that picture. */
export function markExit(world: World, event: KernelProcessEvent, atMs: number): World {
  if (event.hostPidOnly) return world;
  const index = world.processes.findIndex((entry) => entry.fact.pid === event.pid && entry.goneAtMs === undefined);
  const entry = world.processes[index];
  if (!entry) return world;
  const cause = currentCause(world, atMs);
  return { ...world, processes: replaceAt(world.processes, index, { ...entry, goneAtMs: atMs, ...(cause && { goneBy: cause }) }) };
}

export function processKey(fact: Pick<ProcessFact, 'pid' | 'startTime'>): string {
  return `${fact.pid}:${fact.startTime}`;
}
