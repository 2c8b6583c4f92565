/**
 * A tape: everything that makes a container, recorded of one program and its children for as long as it takes, with outcomes.
 *
 * Knows: a recorder with more system calls than the flight recorder can afford, and which of its records are the program's.
 * Does not know: what the program is for, nor what its calls mean. A path or a structure is a pointer in these records, and the
 *   kernel's events say the pointer only.
 */
import type { TapedCall } from '@slipway/contracts';
import { findProcStat, listPids, monotonicMs } from '@slipway/kernel';
import { openRecorder, type TraceBatch } from './recorder.ts';
import type { TraceRecord } from './trace-records.ts';

/** Rare enough to be recorded of a short-lived program; `openat`, `read` and `write` would drown everything else. */
const TAPED_SYSCALLS = [
  ...['setsid', 'setuid', 'setgid', 'setgroups', 'setresuid', 'setresgid', 'umask', 'chdir', 'fchdir', 'personality', 'keyctl'],
  ...['mknodat', 'symlinkat', 'prlimit64', 'prctl', 'capset', 'seccomp', 'sched_setattr', 'sched_setaffinity', 'ioprio_set'],
  ...['setdomainname', 'move_mount', 'open_tree', 'fsopen', 'fsmount', 'mount_setattr', 'set_mempolicy'],
];
const CLONE_THREAD = 0x1_0000;
/** Of one program; what is more says nothing that the first ones do not. */
const MAX_CALLS = 3000;
/** Of everything below the process. How long a tape runs, and what is done meanwhile, is for those whom it records to say. */
const MAX_RECORDS = 50_000;
/** Records are read a moment after they were written. */
const SETTLE_MS = 30;
const BUFFER_KB = 4096;

/** One program's calls, its children's included, in order of time. */
export interface ProgramTape {
  readonly calls: readonly TapedCall[];
  /** The kernel's buffer ran over, or there were more calls than are kept. */
  readonly truncated: boolean;
}

export interface Tape {
  /** Ends the recording. Of several runs of the program, the one with the most calls. @param program absolute, as it was executed */
  end(program: string): Promise<ProgramTape>;
}

/**
 * Records what is started from now on by these processes (host pids) or by those below them.
 *
 * @param mountDirectory a directory of ours alone
 * @throws EngineError `unsupported` / `E_TRACEFS_UNAVAILABLE`; nothing is left behind
 */
export async function openTape(mountDirectory: string, hostPid: number): Promise<Tape> {
  const recorder = await openRecorder({ mountDirectory, bufferKb: BUFFER_KB, besides: TAPED_SYSCALLS });
  const records = new TapeRecords(MAX_RECORDS);
  recorder.subscribe((batch) => records.take(batch));
  try {
    recorder.follow(withDescendants(hostPid));
  } catch (error) {
    await recorder.close();
    throw error;
  }
  return {
    end: async (program) => {
      const until = monotonicMs();
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      try {
        recorder.poll();
      } finally {
        await recorder.close();
      }
      const calls = callsOf(records.until(until), program);
      return { calls: calls.slice(0, MAX_CALLS), truncated: records.truncated || calls.length > MAX_CALLS };
    },
  };
}

/** The first records of a tape, in order of time. */
export class TapeRecords {
  readonly #max: number;
  readonly #records: TraceRecord[] = [];
  #truncated = false;

  constructor(max: number) {
    this.#max = max;
  }

  /** Some were lost, or are not kept. */
  get truncated(): boolean {
    return this.#truncated;
  }

  take({ records, lost }: TraceBatch): void {
    const room = this.#max - this.#records.length;
    this.#truncated ||= lost !== 0 || records.length > room;
    // One by one: a busy moment's are more than a call may have arguments.
    for (const record of records.slice(0, room)) this.#records.push(record);
  }

  until(atMs: number): readonly TraceRecord[] {
    return this.#records.filter((record) => record.atMs <= atMs);
  }
}

function withDescendants(pid: number): number[] {
  const parents = new Map(listPids().map((each) => [each, findProcStat(each)?.ppid]));
  const found = new Set([pid]);
  // Pids may have wrapped, so that a child's is smaller than its parent's: until nobody is added any more.
  for (let size = 0; size < found.size; ) {
    size = found.size;
    for (const [child, parent] of parents) if (parent !== undefined && found.has(parent)) found.add(child);
  }
  return [...found];
}

/** Calls of the run of `program` that made the most of them. */
export function callsOf(records: readonly TraceRecord[], program: string): readonly TapedCall[] {
  const runs: ProgramRun[] = [];
  for (const record of records) {
    const run = runs.find((each) => each.has(record.pid));
    if (run !== undefined) run.take(record);
    else if (record.type === 'exec' && record.filename === program) runs.push(new ProgramRun(record));
  }
  return runs.map(({ calls }) => calls).reduce((most, calls) => (calls.length > most.length ? calls : most), []);
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

class ProgramRun {
  readonly calls: Mutable<TapedCall>[] = [];
  /** Number in the tree, by thread. */
  readonly #processes = new Map<number, number>();
  /** Calls that have not returned, by thread: one each. */
  readonly #open = new Map<number, Mutable<TapedCall>>();
  #count = 1;

  constructor(exec: TraceRecord) {
    this.#processes.set(exec.pid, 0);
    this.take(exec);
  }

  has(pid: number): boolean {
    return this.#processes.has(pid);
  }

  take(record: TraceRecord): void {
    const { atMs, pid } = record;
    const process = this.#processes.get(pid) ?? 0;
    switch (record.type) {
      case 'newtask':
        this.#born(record, process);
        return;
      case 'exec':
        this.calls.push({ atMs, process, syscall: 'execve', args: { filename: record.filename }, result: 0 });
        return;
      case 'syscall': {
        const call = { atMs, process, syscall: record.syscall, args: record.args };
        this.#open.set(pid, call);
        this.calls.push(call);
        return;
      }
      case 'returned':
        this.#returned(pid, record.syscall, record);
        return;
      case 'exit':
        this.#processes.delete(pid);
        this.#open.delete(pid);
        return;
      case 'cloned': // the child's birth told it already
      case 'oom':
    }
  }

  #born({ atMs, childPid, flags }: Extract<TraceRecord, { readonly type: 'newtask' }>, process: number): void {
    if ((flags & CLONE_THREAD) !== 0) {
      this.#processes.set(childPid, process);
      return;
    }
    this.#processes.set(childPid, this.#count);
    this.calls.push({ atMs, process, syscall: 'clone', args: { clone_flags: `0x${flags.toString(16)}` }, result: this.#count });
    this.#count += 1;
  }

  #returned(pid: number, syscall: string, { atMs, result }: { readonly atMs: number; readonly result: number }): void {
    const call = this.#open.get(pid);
    this.#open.delete(pid);
    if (call?.syscall !== syscall) return;
    call.tookMs = atMs - call.atMs;
    call.result = result;
  }
}
