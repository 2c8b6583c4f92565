/**
 * `events`: what a container uses, at an interval or once; and when the kernel kills for want of memory.
 *
 * Knows: runc's documents, one a line.
 * Does not know: control files (packages/cgroups).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type BlockIoUse, type CgroupUsage, readUsage } from '@slipway/cgroups';
import { EngineError, isKind } from '@slipway/errors';
import { hostControlFiles } from '@slipway/kernel';
import type { ContainerState, Runtime } from '@slipway/runtime';
import { parseDurationMs } from '../units.ts';
import { type Command, openRuntime, requireWords, UsageMistake } from './context.ts';

/** How often the end and a kill for want of memory are looked for; statistics have their own interval. */
const LOOK_MS = 100;

export const events: Command = async (context) => {
  const [id] = requireWords(context, 'events', 1);
  const { flags, out } = context;
  const intervalMs = parseDurationMs(flags.value('interval') ?? '5s');
  if (intervalMs === undefined) throw new UsageMistake(`invalid value "${flags.value('interval')}" for flag -interval: parse error`);
  if (intervalMs <= 0) throw new UsageMistake('duration interval must be greater than 0');
  const runtime = openRuntime(context);
  const state = await requireAlive(runtime, id);
  const print = (event: object) => out(`${JSON.stringify(event)}\n`);
  const stats = () => print({ type: 'stats', id, data: toStats(readUsage(state.cgroups, hostControlFiles)) });
  if (flags.has('stats')) stats();
  else await follow({ runtime, state, intervalMs, stats, oom: () => print({ type: 'oom', id }) });
  return 0;
};

async function requireAlive(runtime: Runtime, id: string): Promise<ContainerState> {
  const state = await runtime.state(id);
  if (isAlive(state)) return state;
  throw new EngineError('failed-precondition', `container with id ${id} is not running`, {
    code: 'E_CONTAINER_STATE',
    op: 'container.events',
    subject: id,
  });
}

function isAlive({ status }: ContainerState): boolean {
  return status === 'created' || status === 'running' || status === 'paused';
}

interface Following {
  readonly runtime: Runtime;
  readonly state: ContainerState;
  readonly intervalMs: number;
  readonly stats: () => void;
  readonly oom: () => void;
}

/** Until the container has stopped or is gone. */
async function follow({ runtime, state, intervalMs, stats, oom }: Following): Promise<void> {
  const kills = () => readUsage(state.cgroups, hostControlFiles).oomKills ?? 0;
  let killed = kills();
  let dueAt = performance.now() + intervalMs;
  for (;;) {
    await sleep(Math.max(0, Math.min(LOOK_MS, dueAt - performance.now())));
    const now = kills();
    if (now > killed) oom();
    killed = Math.max(killed, now);
    if (!(await stillThere(runtime, state.id))) return;
    if (performance.now() < dueAt) continue;
    stats();
    dueAt += intervalMs;
  }
}

/** Whoever takes a container away removes its record a moment before its directory. */
async function stillThere(runtime: Runtime, id: string): Promise<boolean> {
  const ask = async () => isAlive(await runtime.state(id));
  const askAgain = async (error: unknown) => {
    if (!isKind(error, 'data-loss')) throw error;
    await sleep(LOOK_MS);
    return await ask();
  };
  return await ask()
    .catch(askAgain)
    .catch((error: unknown) => {
      if (isKind(error, 'not-found')) return false;
      throw error;
    });
}

/** `hugetlb` and `intel_rdt` are part of runc's shape; this runtime has no numbers for them. */
function toStats({ cpu, cpus, mems, memory, pids, blockIo }: CgroupUsage): object {
  const { total, perCpu, kernel, user, periods, throttledPeriods, throttledTime } = cpu;
  const { cache, usage, swap, kernel: kernelMemory, kernelTcp, raw } = memory;
  return {
    cpu: {
      usage: { total: total ?? 0, percpu: perCpu, kernel: kernel ?? 0, user: user ?? 0 },
      throttling: unlessZero({ periods, throttledPeriods, throttledTime }),
    },
    cpuset: { cpus: numbersOf(cpus), mems: numbersOf(mems) },
    memory: { ...unlessZero({ cache }), usage, swap, kernel: kernelMemory, kernelTCP: kernelTcp, raw },
    pids: unlessZero(pids),
    blkio: { ...devices('ioServiceBytesRecursive', blockIo.bytes), ...devices('ioServicedRecursive', blockIo.operations) },
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: null,
  };
}

function unlessZero(fields: Readonly<Record<string, number | undefined>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

function devices(name: string, entries: readonly BlockIoUse[]): object {
  return entries.length === 0 ? {} : { [name]: entries };
}

/** `0-2,4` is 0, 1, 2, 4. */
function numbersOf(list: string | undefined): readonly number[] | undefined {
  if (list === undefined || list === '') return undefined;
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
