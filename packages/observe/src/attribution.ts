/**
 * Whose an event is, and which pid the learner sees for it: host pids into machines and machine pids.
 *
 * Knows: ancestry (a child belongs to its parent's machine), pid namespaces, threads, and that most processes are gone before anybody can look.
 * Does not know: tracefs. Records come in order of time; /proc is asked through `proc`, which a test replaces.
 *
 * A process's pid in the machine is learned in the first way that answers: from NSpid in /proc/PID/status while it lives, or from
 * what clone returned to its parent, where the parent itself lives in the machine's pid namespace.
 */
import type { JournalBody, KernelProcessEvent } from '@slipway/journal';
import { RETURNING_SYSCALLS, type TraceRecord } from './trace-records.ts';

/** What /proc knows of a living process; undefined when it is gone. Pids are the host's. */
export interface ProcPort {
  /** NSpid: the process's pid in each pid namespace, from the host's down to its own. */
  nsPids(hostPid: number): readonly number[] | undefined;
  /** Path of its cgroup as its machine sees it, and the machine's id. */
  locate(hostPid: number): { readonly machine: string; readonly cgroup: string } | undefined;
  containerOf(hostPid: number, cgroup: string): string | undefined;
  comm(hostPid: number): string | undefined;
}

export interface AttributedEvent {
  readonly machine: string;
  readonly body: JournalBody;
  readonly atMs: number;
  /** The process, or the child of a fork. */
  readonly hostPid: number;
}

/** A living process as the sampler found it. */
export interface LearnedProcess {
  /** In the machine's pid namespace. */
  readonly pid: number;
  /** It lives in a pid namespace below the machine's. */
  readonly isNested: boolean;
  readonly container?: string | undefined;
}

export interface Attribution {
  /** Depth of the machine's pid namespace below the host's: 1 for a machine directly on it. */
  addMachine(machine: string, level: number): void;
  removeMachine(machine: string): void;
  /** Seeds ancestry with processes that are already there. */
  adopt(machine: string, hostPids: readonly number[]): void;
  /** What the sampler found out about a living process. */
  learn(hostPid: number, found: LearnedProcess): void;
  isKnown(hostPid: number): boolean;
  /**
   * Records → events, in order. Threads and processes of no machine are left out. Events wait, for {@link HOLD_MS} at most, while clone has
   * not returned in the parent of a child that is gone already: on a busy host a vforked child can live and end before its parent goes on.
   * Call it with no records now and then, so that nothing waits for ever.
   */
  attribute(records: readonly TraceRecord[]): readonly AttributedEvent[];
}

interface Task {
  readonly machine: string;
  /** When this was known: older records say nothing new about it. */
  readonly sinceMs: number;
  readonly thread: boolean;
  /** Thread group: what the learner knows as the process. */
  readonly group: number;
  comm: string;
  /** In the machine's pid namespace; undefined until learned. */
  pid?: number | undefined;
  /** Still on its way in: what it executes are files of the host, whose paths are nobody's business in the machine. */
  isOutside: boolean;
  /** Whether what clone returns to it is a pid of the machine's namespace. */
  inMachineNamespace: boolean;
  /** Whether its next children stay in its own pid namespace. */
  childrenStay: boolean;
  container?: string | undefined;
}

const CLONE_THREAD = 0x10000;
const CLONE_NEWPID = 0x20000000;
const CLONE_KINDS = [
  [0x10000000, 'user'],
  [0x00020000, 'mnt'],
  [CLONE_NEWPID, 'pid'],
  [0x40000000, 'net'],
  [0x08000000, 'ipc'],
  [0x04000000, 'uts'],
  [0x02000000, 'cgroup'],
] as const;
const MAX_TASKS = 65_536;
const MAX_HELD = 10_000;
/** Longest wait for a parent to return from clone. */
export const HOLD_MS = 250;

/** `now`: CLOCK_MONOTONIC milliseconds, the records' clock. */
export function createAttribution(proc: ProcPort, now: () => number): Attribution {
  return new TaskTable(proc, now);
}

class TaskTable implements Attribution {
  readonly #proc: ProcPort;
  readonly #now: () => number;
  readonly #levels = new Map<string, number>();
  readonly #tasks = new Map<number, Task>();
  /** Parent → the child whose clone has not returned in it yet. */
  readonly #pending = new Map<number, { readonly childPid: number; readonly atMs: number }>();
  /** Thread → the call it is in, told when it returns. */
  readonly #calls = new Map<number, AttributedEvent>();
  /** Learned from, not yet handed out. */
  #held: TraceRecord[] = [];

  constructor(proc: ProcPort, now: () => number) {
    this.#proc = proc;
    this.#now = now;
  }

  addMachine(machine: string, level: number): void {
    this.#levels.set(machine, level);
  }

  removeMachine(machine: string): void {
    this.#levels.delete(machine);
    for (const [pid, task] of this.#tasks) if (task.machine === machine) this.#tasks.delete(pid);
  }

  adopt(machine: string, hostPids: readonly number[]): void {
    for (const hostPid of hostPids) {
      if (!this.#tasks.has(hostPid)) this.#remember(hostPid, this.#lookAt(hostPid, machine, this.#proc.locate(hostPid)?.cgroup));
    }
  }

  learn(hostPid: number, { pid, isNested, container }: LearnedProcess): void {
    const task = this.#tasks.get(hostPid);
    if (!task) return;
    task.pid = pid;
    task.inMachineNamespace = !isNested;
    if (container !== undefined) task.container = container;
  }

  isKnown(hostPid: number): boolean {
    return this.#tasks.has(hostPid);
  }

  attribute(records: readonly TraceRecord[]): readonly AttributedEvent[] {
    // Two passes: what clone returned may stand behind the child's exec in the same batch (vfork always does that).
    for (const record of records) this.#learnFrom(record);
    // One by one: a busy moment's, on a host with many processors, are more than a call may have arguments.
    for (const record of records) this.#held.push(record);
    if (this.#held.length === 0 || this.#mustWait(this.#now())) return [];
    const ripe = this.#held;
    this.#held = [];
    return ripe.flatMap((record) => this.#toEvents(record));
  }

  #mustWait(nowMs: number): boolean {
    if (this.#held.length > MAX_HELD) return false;
    for (const [pid, { childPid, atMs }] of this.#pending) {
      const child = this.#tasks.get(childPid);
      const helps = child !== undefined && !child.thread && this.#tasks.get(pid)?.inMachineNamespace === true;
      if (!helps || nowMs - atMs > HOLD_MS) this.#pending.delete(pid);
      else if (this.#pidOf(childPid, child) === undefined) return true;
    }
    return false;
  }

  #remember(hostPid: number, task: Task): Task {
    this.#tasks.delete(hostPid);
    this.#tasks.set(hostPid, task);
    const oldest = this.#tasks.size > MAX_TASKS ? this.#tasks.keys().next().value : undefined;
    if (oldest !== undefined) this.#tasks.delete(oldest);
    return task;
  }

  /** The known task, or one that nobody told us about: entered from outside, or older than the recorder. */
  #taskOf(hostPid: number): Task | undefined {
    const known = this.#tasks.get(hostPid);
    if (known) return known;
    const place = this.#proc.locate(hostPid);
    if (!place || !this.#levels.has(place.machine)) return undefined;
    return this.#remember(hostPid, this.#lookAt(hostPid, place.machine, place.cgroup));
  }

  #lookAt(hostPid: number, machine: string, cgroup: string | undefined): Task {
    const nsPids = this.#proc.nsPids(hostPid);
    const level = this.#levels.get(machine) ?? 1;
    return {
      machine,
      sinceMs: this.#now(),
      thread: false,
      group: hostPid,
      comm: this.#proc.comm(hostPid) ?? '',
      pid: nsPids?.[level],
      inMachineNamespace: nsPids?.length === level + 1,
      isOutside: nsPids !== undefined && nsPids.length <= level,
      childrenStay: true,
      container: cgroup === undefined ? undefined : this.#proc.containerOf(hostPid, cgroup),
    };
  }

  #learnFrom(record: TraceRecord): void {
    if (record.type === 'newtask') {
      this.#born(record);
      this.#pending.set(record.pid, { childPid: record.childPid, atMs: record.atMs });
    } else if (record.type === 'cloned') {
      const child = this.#tasks.get(this.#pending.get(record.pid)?.childPid ?? -1);
      if (child && this.#tasks.get(record.pid)?.inMachineNamespace) child.pid ??= record.childPid;
      this.#pending.delete(record.pid);
    } else if (record.type === 'exit') {
      this.#pending.delete(record.pid);
    } else if (record.type === 'syscall' && changesPidNamespace(record)) {
      const task = this.#taskOf(record.pid);
      if (task) task.childrenStay = false;
    }
  }

  #born({ pid, childPid, flags, comm, atMs }: Extract<TraceRecord, { type: 'newtask' }>): void {
    const parent = this.#taskOf(pid);
    if (!parent) return;
    if (comm !== '' && !parent.thread) parent.comm = comm; // it may have renamed itself
    // Looked at since, it is known better than its birth can tell.
    if ((this.#tasks.get(childPid)?.sinceMs ?? Number.NEGATIVE_INFINITY) > atMs) return;
    const thread = hasFlag(flags, CLONE_THREAD);
    const stays = parent.inMachineNamespace && parent.childrenStay && !hasFlag(flags, CLONE_NEWPID);
    this.#remember(childPid, {
      machine: parent.machine,
      sinceMs: atMs,
      thread,
      group: thread ? parent.group : childPid,
      comm: comm || parent.comm,
      inMachineNamespace: thread ? parent.inMachineNamespace : stays,
      isOutside: parent.isOutside,
      childrenStay: true,
      container: parent.container,
    });
  }

  #pidOf(hostPid: number, task: Task): number | undefined {
    task.pid ??= this.#proc.nsPids(hostPid)?.[this.#levels.get(task.machine) ?? 1];
    return task.pid;
  }

  /** The process as a learner knows it: a thread speaks for its process. */
  #subject(hostPid: number, task: Task): KernelProcessEvent {
    const leader = this.#tasks.get(task.group) ?? task;
    const pid = this.#pidOf(task.group, leader);
    const base = { hostPid: task.group, comm: leader.comm, ...(task.container !== undefined && { container: task.container }) };
    return pid === undefined ? { ...base, pid: hostPid, hostPidOnly: true } : { ...base, pid };
  }

  /** Of a call whose return is recorded the event is made when it begins, while the process is what it was, and handed out with its result. */
  #toEvents(record: TraceRecord): AttributedEvent[] {
    if (record.type === 'oom') return this.#toOom(record);
    const call = this.#calls.get(record.pid);
    this.#calls.delete(record.pid);
    if (record.type === 'returned') return call === undefined ? [] : [withResult(call, record.result)];
    const event = this.#toEvent(record);
    const unreturned = call === undefined ? [] : [call];
    if (event?.body.type !== 'kernel.syscall' || !RETURNING_SYSCALLS.has(event.body.event.syscall)) {
      return event ? [...unreturned, event] : unreturned;
    }
    if (this.#calls.size < MAX_TASKS) this.#calls.set(record.pid, event);
    return unreturned;
  }

  /** The record is written by whoever ran out of memory, which need not be the victim. */
  #toOom({ victim, atMs }: Extract<TraceRecord, { type: 'oom' }>): AttributedEvent[] {
    const task = this.#taskOf(victim);
    if (!task) return [];
    return [{ machine: task.machine, atMs, hostPid: victim, body: { type: 'kernel.oom', event: this.#subject(victim, task) } }];
  }

  #toEvent(record: Exclude<TraceRecord, { readonly type: 'oom' | 'returned' }>): AttributedEvent | undefined {
    const task = this.#taskOf(record.pid);
    if (!task || record.type === 'cloned') return undefined;
    const at = { machine: task.machine, atMs: record.atMs, hostPid: record.pid };
    switch (record.type) {
      case 'newtask':
        return this.#toFork(record, task);
      case 'exec': {
        task.comm = this.#nameAfterExec(record.pid, record.filename);
        if (!task.inMachineNamespace) this.#lookAgain(record.pid, task);
        const place = this.#proc.locate(record.pid);
        if (place?.machine === task.machine) task.container = this.#proc.containerOf(record.pid, place.cgroup) ?? task.container;
        const filename = task.isOutside ? baseName(record.filename) : record.filename;
        return { ...at, body: { type: 'kernel.exec', event: { ...this.#subject(record.pid, task), filename } } };
      }
      case 'exit':
        this.#tasks.delete(record.pid);
        if (task.thread) return undefined;
        task.comm = record.comm || task.comm;
        return { ...at, body: { type: 'kernel.exit', event: this.#subject(record.pid, task) } };
      case 'syscall': {
        const event = { ...this.#subject(record.pid, task), syscall: record.syscall, args: record.args };
        return { ...at, hostPid: task.group, body: { type: 'kernel.syscall', event } };
      }
    }
  }

  /** Who entered the machine from outside was born elsewhere, and is inside by the time it executes. */
  #lookAgain(hostPid: number, task: Task): void {
    const nsPids = this.#proc.nsPids(hostPid);
    const level = this.#levels.get(task.machine) ?? 1;
    if (!nsPids) return;
    task.pid = nsPids[level] ?? task.pid;
    task.inMachineNamespace = nsPids.length === level + 1;
    task.isOutside = nsPids.length <= level;
  }

  /** As the kernel does: the file's base name. Of a file that was executed by descriptor the path tells nothing. */
  #nameAfterExec(hostPid: number, filename: string): string {
    const base = baseName(filename).slice(0, 15);
    return /^\/(?:dev|proc\/self)\/fd\//.test(filename) ? (this.#proc.comm(hostPid) ?? base) : base;
  }

  #toFork(record: Extract<TraceRecord, { type: 'newtask' }>, parent: Task): AttributedEvent | undefined {
    const { pid, childPid: childHostPid, flags, atMs } = record;
    const child = this.#tasks.get(childHostPid);
    if (!child || child.thread) return undefined;
    const childPid = this.#pidOf(childHostPid, child);
    const namespaces = CLONE_KINDS.filter(([flag]) => hasFlag(flags, flag)).map(([, kind]) => kind);
    const event: KernelProcessEvent = {
      ...this.#subject(pid, parent),
      childHostPid,
      ...(childPid !== undefined && { childPid }),
      ...(namespaces.length > 0 && { namespaces }),
    };
    return { machine: parent.machine, atMs, hostPid: childHostPid, body: { type: 'kernel.fork', event } };
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function withResult(call: AttributedEvent, result: number): AttributedEvent {
  return call.body.type === 'kernel.syscall' ? { ...call, body: { ...call.body, event: { ...call.body.event, result } } } : call;
}

/** clone3 takes 64 bits of flags, more than JavaScript's bit operators. */
function hasFlag(flags: number, flag: number): boolean {
  return Math.floor(flags / flag) % 2 === 1;
}

/** unshare(CLONE_NEWPID), and setns into a pid namespace or into who knows what (type 0). */
function changesPidNamespace(record: Extract<TraceRecord, { type: 'syscall' }>): boolean {
  const flags = Number(record.args['unshare_flags'] ?? record.args['flags'] ?? record.args['nstype'] ?? 0);
  if (record.syscall === 'unshare') return hasFlag(flags, CLONE_NEWPID);
  return record.syscall === 'setns' && (flags === 0 || hasFlag(flags, CLONE_NEWPID));
}
