/**
 * Trace records as typed values: which events are recorded, and what is taken out of each.
 *
 * Knows: the events of containers' lives, and their fields' names in tracefs.
 * Does not know: pages (trace-page.ts), machines (attribution.ts). All pids here are the host's.
 */
import type { TraceField, TraceFormat } from './trace-format.ts';

export type TraceRecord =
  | {
      readonly type: 'newtask';
      readonly atMs: number;
      readonly pid: number;
      readonly childPid: number;
      readonly flags: number;
      readonly comm: string;
    }
  | { readonly type: 'exec'; readonly atMs: number; readonly pid: number; readonly oldPid: number; readonly filename: string }
  | { readonly type: 'exit'; readonly atMs: number; readonly pid: number; readonly comm: string }
  /** A clone, fork or vfork returned in the parent: the child's pid as the *parent's* pid namespace has it. */
  | { readonly type: 'cloned'; readonly atMs: number; readonly pid: number; readonly childPid: number }
  /** One of {@link RETURNING_SYSCALLS} came back: 0 or more, or a negative errno. */
  | { readonly type: 'returned'; readonly atMs: number; readonly pid: number; readonly syscall: string; readonly result: number }
  /** The out-of-memory killer, called by `pid`, chose `victim`. */
  | { readonly type: 'oom'; readonly atMs: number; readonly pid: number; readonly victim: number }
  | {
      readonly type: 'syscall';
      readonly atMs: number;
      readonly pid: number;
      readonly syscall: string;
      readonly args: Readonly<Record<string, string>>;
    };

/** System calls that make, enter or shape a container. The busy ones (read, openat, prctl …) would drown them and cost time. */
export const RECORDED_SYSCALLS = [
  'unshare',
  'setns',
  'mount',
  'umount',
  'pivot_root',
  'chroot',
  'move_mount',
  'open_tree',
  'fsopen',
  'fsmount',
  'mount_setattr',
  'sethostname',
  'setdomainname',
  'capset',
  'seccomp',
  'kill',
] as const;

/** Those of them whose outcome is recorded too: whether a namespace was entered or a root changed is not told by the attempt. */
export const RETURNING_SYSCALLS: ReadonlySet<string> = new Set([
  'unshare',
  'setns',
  'mount',
  'umount',
  'pivot_root',
  'chroot',
  'sethostname',
]);

/** Which system calls are recorded. */
export interface RecordedCalls {
  /** Besides those that make, enter or shape a container, with their outcomes. */
  readonly besides?: readonly string[] | undefined;
  /** Default true. Without, no system call of the host becomes slower: a tracepoint at one takes all of them off the kernel's short way. */
  readonly systemCalls?: boolean | undefined;
}

const CLONES = ['clone', 'clone3', 'fork', 'vfork'] as const;

/**
 * Events to switch on, as directories below `events/`; those a kernel lacks are left out. `besides` are recorded with their outcomes;
 * without `systemCalls` only lives are: that a process was made, became another program, ended.
 */
export function recordedEvents({ besides = [], systemCalls = true }: RecordedCalls): readonly string[] {
  if (!systemCalls) return NEEDED_EVENTS;
  const both = besides.flatMap((name) => [`syscalls/sys_enter_${name}`, `syscalls/sys_exit_${name}`]);
  return [...new Set([...RECORDED_EVENTS, ...both])];
}

const RECORDED_EVENTS: readonly string[] = [
  'task/task_newtask',
  'sched/sched_process_exec',
  'sched/sched_process_exit',
  ...CLONES.map((name) => `syscalls/sys_exit_${name}`),
  ...RECORDED_SYSCALLS.map((name) => `syscalls/sys_enter_${name}`),
  ...[...RETURNING_SYSCALLS].map((name) => `syscalls/sys_exit_${name}`),
  'oom/mark_victim',
];

/** Without these nothing can be said about any process. */
export const NEEDED_EVENTS: readonly string[] = ['task/task_newtask', 'sched/sched_process_exec', 'sched/sched_process_exit'];

/** Turns records of the described events into values. */
export interface RecordReader {
  /** Undefined for events that are not among {@link recordedEvents}. `offset` and `length` as readTracePage gives them. */
  read(page: DataView, atMs: number, offset: number, length: number): TraceRecord | undefined;
}

interface Bytes {
  readonly page: DataView;
  readonly offset: number;
  readonly length: number;
}
type Decode = (bytes: Bytes, atMs: number, pid: number) => TraceRecord | undefined;

const FILENAME_LIMIT = 1024;

/** `besides`: system calls of whose outcomes is told besides {@link RETURNING_SYSCALLS}. */
export function createRecordReader(formats: readonly TraceFormat[], besides: readonly string[] = []): RecordReader {
  const returning = new Set([...RETURNING_SYSCALLS, ...besides]);
  const decoders = new Map(formats.flatMap((format) => [[format.id, decoderOf(format, returning)] as const]));
  return {
    read: (page, atMs, offset, length) => {
      if (length < 8) return undefined;
      const decode = decoders.get(page.getUint16(offset, true));
      return decode?.({ page, offset, length }, atMs, page.getInt32(offset + 4, true));
    },
  };
}

function decoderOf(format: TraceFormat, returning: ReadonlySet<string>): Decode {
  const field = new Map(format.fields.map((entry) => [entry.name, entry]));
  const number = (name: string) => numberAt(field.get(name));
  const text = (name: string) => textAt(field.get(name));
  switch (format.name) {
    case 'task_newtask': {
      const [child, flags, comm] = [number('pid'), number('clone_flags'), text('comm')];
      return (bytes, atMs, pid) => ({ type: 'newtask', atMs, pid, childPid: child(bytes), flags: flags(bytes), comm: comm(bytes) });
    }
    case 'sched_process_exec': {
      const [pid, oldPid, filename] = [number('pid'), number('old_pid'), text('filename')];
      return (bytes, atMs) => ({ type: 'exec', atMs, pid: pid(bytes), oldPid: oldPid(bytes), filename: filename(bytes) });
    }
    case 'sched_process_exit': {
      const [pid, comm] = [number('pid'), text('comm')];
      return (bytes, atMs) => ({ type: 'exit', atMs, pid: pid(bytes), comm: comm(bytes) });
    }
    case 'mark_victim': {
      const victim = number('pid');
      return (bytes, atMs, pid) => ({ type: 'oom', atMs, pid, victim: victim(bytes) });
    }
    default:
      return decoderOfSyscall(format, number('ret'), returning);
  }
}

function decoderOfSyscall(format: TraceFormat, result: (bytes: Bytes) => number, returning: ReadonlySet<string>): Decode {
  const returned = format.name.replace(/^sys_exit_/, '');
  if (returning.has(returned)) {
    return (bytes, atMs, pid) => ({ type: 'returned', atMs, pid, syscall: returned, result: result(bytes) });
  }
  if (format.name.startsWith('sys_exit_')) {
    return (bytes, atMs, pid) => {
      const childPid = result(bytes);
      return childPid > 0 ? { type: 'cloned', atMs, pid, childPid } : undefined;
    };
  }
  const syscall = format.name.replace(/^sys_enter_/, '');
  const args = format.fields.filter((field) => field.name !== '__syscall_nr').slice(0, 6);
  return (bytes, atMs, pid) => ({
    type: 'syscall',
    atMs,
    pid,
    syscall,
    args: Object.fromEntries(args.map((field) => [field.name, hexAt(bytes, field)])),
  });
}

/** -1 where the record is too short or the field unknown. 64-bit values are exact up to 2^53. */
function numberAt(field: TraceField | undefined): (bytes: Bytes) => number {
  if (!field) return () => -1;
  return ({ page, offset, length }) => {
    if (field.offset + field.size > length) return -1;
    const at = offset + field.offset;
    if (field.size === 8) return field.signed ? Number(page.getBigInt64(at, true)) : Number(page.getBigUint64(at, true));
    if (field.size === 4) return field.signed ? page.getInt32(at, true) : page.getUint32(at, true);
    if (field.size === 2) return field.signed ? page.getInt16(at, true) : page.getUint16(at, true);
    return page.getUint8(at);
  };
}

function hexAt({ page, offset, length }: Bytes, field: TraceField): string {
  if (field.offset + field.size > length) return '?';
  const at = offset + field.offset;
  return `0x${(field.size === 8 ? page.getBigUint64(at, true) : BigInt(page.getUint32(at, true))).toString(16)}`;
}

const decoder = new TextDecoder();

function textAt(field: TraceField | undefined): (bytes: Bytes) => string {
  if (!field) return () => '';
  return ({ page, offset, length }) => {
    if (field.offset + field.size > length) return '';
    const word = field.kind === 'located' ? page.getUint32(offset + field.offset, true) : 0;
    const [start, size] = field.kind === 'located' ? [word & 0xffff, word >>> 16] : [field.offset, field.size];
    const room = Math.max(0, Math.min(size, length - start, FILENAME_LIMIT));
    const bytes = new Uint8Array(page.buffer, page.byteOffset + offset + Math.min(start, length), room);
    const end = bytes.indexOf(0);
    return decoder.decode(end >= 0 ? bytes.subarray(0, end) : bytes);
  };
}
