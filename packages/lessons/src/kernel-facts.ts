/**
 * What a check can ask about programs and system calls, from kernel events: nobody in the machine can make these up.
 *
 * Knows: which calls succeeded, and where in namespaces the caller was when it called.
 * Does not know: which lab asks.
 */
import type { JournalEvent, KernelSyscallEvent } from '@slipway/journal/types';
import type { CheckView } from './types.ts';
import { type Whereabout, Whereabouts } from './whereabouts.ts';

export interface StartedProgram {
  /** Base name of the file. */
  readonly program: string;
  readonly atMs: number;
  /** Whether it, or a process it descends from, was born into or has entered namespaces other than the machine's. */
  readonly inside: boolean;
}

/**
 * Programs started anywhere in the machine, oldest first. A program that is gone at once may have left no trace
 * of its cgroup; that its process joined a container's namespaces before it began is always told.
 */
export function programsStarted(view: CheckView): readonly StartedProgram[] {
  return followed(view, (event, where) => {
    if (event.type !== 'kernel.exec') return [];
    const { filename, comm, hostPid, container } = event.event;
    const program = (filename ?? comm).split('/').at(-1) ?? '';
    return [{ program, atMs: event.atMs, inside: container !== undefined || where.of(hostPid) !== 'machine' }];
  });
}

export interface MadeCall {
  readonly call: KernelSyscallEvent;
  readonly atMs: number;
  /** Where the caller was. */
  readonly where: Whereabout;
}

/** Successful calls of one kind, oldest first. */
export function callsMade(view: CheckView, syscall: string): readonly MadeCall[] {
  return followed(view, (event, where) => {
    if (event.type !== 'kernel.syscall' || event.event.syscall !== syscall) return [];
    const { hostPid, result = 0 } = event.event;
    return result < 0 ? [] : [{ call: event.event, atMs: event.atMs, where: where.of(hostPid) }];
  });
}

/** An argument that is a set of flags or a number, as the tracepoint printed it. */
export function argument(call: KernelSyscallEvent, name: string): number {
  return Number(call.args[name] ?? 0);
}

export interface Descent {
  /** The process and those it descends from, nearest first; pids are the host's. */
  ofHostPid(hostPid: number): readonly number[];
  /** The same for a process by its pid in the machine; empty: no event told of it. */
  ofMachinePid(pid: number): readonly number[];
}

/** Who descends from whom, as far as the journal tells of it. */
export function descent(view: CheckView): Descent {
  const parents = new Map<number, number>();
  const byMachinePid = new Map<number, number>();
  for (const event of view.events) {
    if (!isKernelEvent(event)) continue;
    const { pid, hostPid, hostPidOnly, childPid, childHostPid } = event.event;
    if (!hostPidOnly) byMachinePid.set(pid, hostPid);
    if (childHostPid === undefined) continue;
    parents.set(childHostPid, hostPid);
    if (childPid !== undefined) byMachinePid.set(childPid, childHostPid);
  }
  const ofHostPid = (hostPid: number): readonly number[] => {
    const line = new Set<number>();
    for (let pid: number | undefined = hostPid; pid !== undefined && !line.has(pid); pid = parents.get(pid)) line.add(pid);
    return [...line];
  };
  return {
    ofHostPid,
    ofMachinePid: (pid) => {
      const hostPid = byMachinePid.get(pid);
      return hostPid === undefined ? [] : ofHostPid(hostPid);
    },
  };
}

function isKernelEvent(event: JournalEvent): event is Extract<JournalEvent, { readonly event: unknown }> {
  return event.type.startsWith('kernel.');
}

function followed<T>(view: CheckView, pick: (event: JournalEvent, where: Whereabouts) => readonly T[]): readonly T[] {
  const where = new Whereabouts();
  for (const event of view.earlier) follow(where, event);
  return view.events.flatMap((event) => {
    follow(where, event);
    return pick(event, where);
  });
}

function follow(where: Whereabouts, event: JournalEvent): void {
  if (event.type === 'kernel.fork') where.fork(event.event);
  else if (event.type === 'kernel.exec') where.exec(event.event);
  else if (event.type === 'kernel.syscall' && event.event.syscall === 'setns') where.join(event.event);
}
