/**
 * How one event changes the world. Pure: the same events in the same order give the same world, live or from a file.
 *
 * Knows: which part of the world each type of event concerns.
 * Does not know: whole pictures of processes and cgroups, and spans; those have files of their own (reduce-*.ts).
 */
import { pushBounded, replaceAt, sameData } from './arrays.ts';
import { claimEnds, currentCause, reduceSpan, withCause } from './reduce-causes.ts';
import { reduceCgroups } from './reduce-cgroups.ts';
import { markExit, reduceProcesses } from './reduce-processes.ts';
import type { CheckFact, ContainerFact, DiskFact, JournalEvent, LayersFact, UpperEntry } from './types.ts';
import { type KernelType, LIMITS, type UpperChange, type World, type WorldContainer } from './world.ts';

/** The world after `event`. Events must come in order of `seq`; one that was taken in before changes nothing. */
export function reduce(world: World, event: JournalEvent): World {
  if (event.seq <= world.seq) return world;
  return reduceBody({ ...world, seq: event.seq, atMs: Math.max(world.atMs, event.atMs) }, event);
}

/** The world after all of `events`, in their order. */
export function reduceAll(world: World, events: Iterable<JournalEvent>): World {
  let next = world;
  for (const event of events) next = reduce(next, event);
  return next;
}

function reduceBody(world: World, event: JournalEvent): World {
  const { seq, atMs } = event;
  switch (event.type) {
    case 'epoch': {
      const { wallMs, machine, kernel, cgroupMode, engine } = event;
      return { ...world, machine: { wallMs, machine, kernel, cgroupMode, engine, atMs } };
    }
    case 'span':
      return reduceSpan(world, event.span);
    case 'container':
      return reduceContainer(world, event.container, atMs);
    case 'processes':
      return { ...reduceProcesses(world, event.processes, atMs), processesTruncated: event.truncated ?? false };
    case 'cgroups':
      return reduceCgroups(world, event.samples, atMs);
    case 'layers':
      return reduceLayers(world, event.layers, atMs);
    case 'disk':
      return reduceDisk(world, event.disk, atMs);
    case 'overlays':
      return world; // lessons' checks look at it; no panel does
    case 'kernel.exit':
      return markExit(pushKernel(world, event), event.event, atMs);
    case 'kernel.exec':
    case 'kernel.fork':
    case 'kernel.syscall':
    case 'kernel.oom':
      return pushKernel(world, event);
    case 'check':
      return reduceCheck(world, event.check, atMs);
    case 'command': {
      const { terminal, line } = event;
      const commands = pushBounded(world.commands, { terminal, line, seq, atMs }, LIMITS.commands);
      const cause = { kind: 'command', label: line, atMs } as const;
      return withCause(claimEnds({ ...world, commands }, cause), cause);
    }
    case 'notice':
      return { ...world, notices: pushBounded(world.notices, { level: event.level, text: event.text, seq, atMs }, LIMITS.notices) };
    case 'gap': {
      const { reason, count } = event;
      return { ...world, gaps: pushBounded(world.gaps, { reason, ...(count !== undefined && { count }), seq, atMs }, LIMITS.gaps) };
    }
    default:
      return world; // of a kind that a newer lab writes, to a page that was loaded before
  }
}

function pushKernel(world: World, event: Extract<JournalEvent, { readonly type: KernelType }>): World {
  const { seq, atMs, type } = event;
  return { ...world, kernel: pushBounded(world.kernel, { seq, atMs, type, event: event.event }, LIMITS.kernel) };
}

function reduceContainer(world: World, fact: ContainerFact, atMs: number): World {
  const index = world.containers.findLastIndex((entry) => entry.fact.id === fact.id);
  const before = world.containers[index];
  const cause = currentCause(world, atMs);
  const gone = fact.status === 'removed' && { goneAtMs: before?.goneAtMs ?? atMs, ...(cause && { goneBy: before?.goneBy ?? cause }) };
  if (before) {
    if (sameData(before.fact, fact)) return world;
    const { appearedAtMs, appearedBy } = before;
    const entry = { fact, appearedAtMs, ...(appearedBy && { appearedBy }), changedAtMs: atMs, ...gone };
    return forgetLayers({ ...world, containers: replaceAt(world.containers, index, entry) }, fact);
  }
  const entry: WorldContainer = { fact, appearedAtMs: atMs, ...(cause && { appearedBy: cause }), changedAtMs: atMs, ...gone };
  return { ...world, containers: boundContainers([...world.containers, entry]) };
}

/** Removed ones go first, the longest removed first; a living container is only dropped when all are alive. */
function boundContainers(entries: readonly WorldContainer[]): readonly WorldContainer[] {
  if (entries.length <= LIMITS.containers) return entries;
  const index = entries.findIndex((entry) => entry.goneAtMs !== undefined);
  return entries.toSpliced(Math.max(index, 0), 1);
}

function forgetLayers(world: World, fact: ContainerFact): World {
  if (fact.status !== 'removed') return world;
  return { ...world, layers: world.layers.filter((entry) => entry.fact.container !== fact.id) };
}

function reduceLayers(world: World, fact: LayersFact, atMs: number): World {
  const index = world.layers.findIndex((entry) => entry.fact.container === fact.container);
  const before = world.layers[index];
  if (!before) return { ...world, layers: pushBounded(world.layers, { fact, changedAtMs: atMs, changes: [] }, LIMITS.containers) };
  if (sameData(before.fact, fact)) return world;
  const changes = [...before.changes, ...compareUpper(before.fact.upper, fact.upper, atMs)].slice(-LIMITS.upperChanges);
  return { ...world, layers: replaceAt(world.layers, index, { fact, changedAtMs: atMs, changes }) };
}

function reduceDisk(world: World, fact: DiskFact, atMs: number): World {
  const index = world.disks.findIndex((entry) => entry.fact.root === fact.root);
  const before = world.disks[index];
  const point = { atMs, usedBytes: fact.totalBytes - fact.freeBytes };
  const entry = { fact, changedAtMs: atMs, history: pushBounded(before?.history ?? [], point, LIMITS.historyPoints) };
  return { ...world, disks: before ? replaceAt(world.disks, index, entry) : pushBounded(world.disks, entry, LIMITS.disks) };
}

function compareUpper(before: readonly UpperEntry[], after: readonly UpperEntry[], atMs: number): UpperChange[] {
  const old = new Map(before.map((entry) => [entry.path, entry]));
  const changes: UpperChange[] = [];
  for (const entry of after) {
    const was = old.get(entry.path);
    old.delete(entry.path);
    if (!was) changes.push({ path: entry.path, change: 'added', atMs });
    else if (was.kind !== entry.kind || was.sizeBytes !== entry.sizeBytes) changes.push({ path: entry.path, change: 'changed', atMs });
  }
  return [...changes, ...[...old.keys()].map((path) => ({ path, change: 'removed' as const, atMs }))];
}

function reduceCheck(world: World, check: CheckFact, atMs: number): World {
  const index = world.checks.findIndex((entry) => entry.lesson === check.lesson && entry.task === check.task);
  const entry = { ...check, changedAtMs: atMs };
  return { ...world, checks: index >= 0 ? replaceAt(world.checks, index, entry) : pushBounded(world.checks, entry, LIMITS.checks) };
}
