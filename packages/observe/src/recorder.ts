/**
 * The kernel flight recorder: an instance of tracefs of our own that follows chosen processes and all their children.
 *
 * Knows: instances, filters, reading without waiting, order across processors, sweeping up after dead owners.
 * Does not know: machines (attribution.ts decides whose an event is).
 *
 * Pages are read by a timer with non-blocking reads: a page costs a few microseconds, an empty buffer one failed read(2) per
 * processor. A blocking read would hold a thread of Node's pool for ever, a child `cat` would cost a process and a copy.
 */
import { EngineError } from '@slipway/errors';
import {
  type ControlFiles,
  ensureTracefs,
  findProcStat,
  hostControlFiles,
  isErrno,
  listNames,
  monotonicMs,
  openTracePages,
  releaseTracefs,
  type TracefsMount,
  type TracePages,
} from '@slipway/kernel';
import { isKnownPageLayout, parseTraceFormat, type TraceFormat } from './trace-format.ts';
import { readTracePage } from './trace-page.ts';
import {
  createRecordReader,
  NEEDED_EVENTS,
  type RecordedCalls,
  type RecordReader,
  recordedEvents,
  type TraceRecord,
} from './trace-records.ts';

/** What the recorder hands on: records in order of time, and how many were lost before them. */
export interface TraceBatch {
  readonly records: readonly TraceRecord[];
  /** 0: none. -1: some, the kernel does not say how many. */
  readonly lost: number;
}

export interface KernelRecorder {
  /** Also records these processes (host pids) and every child they will have. Ended ones are left out in silence. */
  follow(hostPids: readonly number[]): void;
  /** Called with each batch, never empty. Must not throw. Returns how to stop. */
  subscribe(listener: (batch: TraceBatch) => void): () => void;
  /** Reads what is there, now. The timer does it too. */
  poll(): void;
  /** Stops, removes the instance and what was mounted for it. Idempotent. */
  close(): Promise<void>;
}

export interface RecorderOptions extends RecordedCalls {
  /** A directory of ours alone: tracefs is mounted below it where the host has it mounted nowhere. */
  readonly mountDirectory: string;
  /** Ring buffer per processor in KiB; default 1024, which holds some 15 000 events. */
  readonly bufferKb?: number | undefined;
  /** Milliseconds between reads while things happen (default 15) and after a second of silence (default 40). */
  readonly pollMs?: number | undefined;
  readonly idlePollMs?: number | undefined;
}

export type TracefsAvailability = { readonly available: true } | { readonly available: false; readonly reason: string };

/** The first pid namespace has a fixed inode number (PROC_PID_INIT_INO); tracefs speaks in its pids. */
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';
const PREFIX = 'slipway';
const NAME = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-\\d+$`);
const PAGES_PER_POLL = 512;

/** Whether kernel events can be recorded here; if not, why, in a sentence. */
export function tracefsAvailable(files: ControlFiles = hostControlFiles): TracefsAvailability {
  const no = (reason: string): TracefsAvailability => ({ available: false, reason });
  if (process.platform !== 'linux') return no('kernel events are recorded through tracefs, which only Linux has.');
  if (process.getuid?.() !== 0) return no('recording kernel events needs root on the host.');
  if (!['x64', 'arm64', 'riscv64'].includes(process.arch)) return no(`the trace buffers of ${process.arch} are not understood.`);
  if (!/\ttracefs$/m.test(files.read('/proc/filesystems'))) return no('this kernel was built without tracefs (CONFIG_FTRACE).');
  if (files.readLink('/proc/self/ns/pid') !== FIRST_PID_NAMESPACE)
    return no('kernel events carry pids of the host’s first pid namespace, and this process lives in another.');
  return { available: true };
}

/**
 * Starts a recorder. Several can run side by side, in one process or many.
 *
 * @throws EngineError `unsupported` / `E_TRACEFS_UNAVAILABLE` with the reason; nothing is left behind
 */
export async function openRecorder(options: RecorderOptions): Promise<KernelRecorder> {
  const usable = tracefsAvailable();
  if (!usable.available) throw unavailable(usable.reason);
  for (const left of (await listNames(options.mountDirectory)).filter(isOrphan)) {
    await releaseTracefs(`${options.mountDirectory}/${left}`);
  }
  const name = ownName();
  const tracefs = await ensureTracefs(`${options.mountDirectory}/${name}`);
  const instance = `${tracefs.directory}/instances/${name}`;
  try {
    sweep(tracefs.directory);
    hostControlFiles.mkdir(instance, 0o700);
    const formats = setUp(tracefs.directory, instance, options);
    return startReading({ tracefs, instance, formats, options });
  } catch (error) {
    removeInstance(instance);
    await tracefs.release();
    throw error;
  }
}

let count = 0;

/** The name says who owns it: pid and start time, so that an owner's death can be told from pid reuse. */
function ownName(): string {
  return `${PREFIX}-${process.pid}-${findProcStat('self')?.startTime ?? 0}-${++count}`;
}

/** True for a name of ours whose owner is gone. */
function isOrphan(name: string): boolean {
  const [, pid, startTime] = NAME.exec(name) ?? [];
  return pid !== undefined && findProcStat(Number(pid))?.startTime !== startTime;
}

/** Removes instances whose owner is gone. */
function sweep(tracefs: string): void {
  for (const name of hostControlFiles.list(`${tracefs}/instances`)) {
    if (isOrphan(name)) removeInstance(`${tracefs}/instances/${name}`);
  }
}

function removeInstance(instance: string): void {
  try {
    hostControlFiles.rmdir(instance);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EBUSY')) throw error; // busy: somebody reads it; the next sweep removes it
  }
}

/** Switches on what is recorded, still following nobody. */
function setUp(tracefs: string, instance: string, { bufferKb = 1024, ...calls }: RecorderOptions): TraceFormat[] {
  const { write, read, kind } = hostControlFiles;
  if (!isKnownPageLayout(read(`${tracefs}/events/header_page`)))
    throw unavailable('this kernel lays out trace pages in a way that is not understood.');
  write(`${instance}/tracing_on`, '0');
  write(`${instance}/trace_clock`, 'mono');
  write(`${instance}/buffer_size_kb`, String(bufferKb));
  write(`${instance}/options/event-fork`, '1');
  return recordedEvents(calls).flatMap((event) => {
    const directory = `${instance}/events/${event}`;
    if (kind(directory) === undefined) {
      if (NEEDED_EVENTS.includes(event)) throw unavailable(`this kernel has no tracepoint "${event}".`);
      return [];
    }
    write(`${directory}/enable`, '1');
    return parseTraceFormat(read(`${directory}/format`)) ?? [];
  });
}

interface Running {
  readonly tracefs: TracefsMount;
  readonly instance: string;
  readonly formats: readonly TraceFormat[];
  readonly options: RecorderOptions;
}

function startReading({ tracefs, instance, formats, options }: Running): KernelRecorder {
  const { pollMs = 15, idlePollMs = 40 } = options;
  const source = openPages(instance, createRecordReader(formats, options.besides));
  const listeners = new Set<(batch: TraceBatch) => void>();
  let following = false;
  let closed = false;
  let activeMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const poll = (): void => {
    if (closed || !following) return;
    const batch = source.read();
    if (batch.records.length === 0 && batch.lost === 0) return;
    activeMs = monotonicMs();
    for (const listener of [...listeners]) listener(batch);
  };
  const schedule = (): void => {
    if (closed) return;
    timer = setTimeout(
      () => {
        poll();
        schedule();
      },
      monotonicMs() - activeMs < 1000 ? pollMs : idlePollMs,
    );
    timer.unref();
  };
  schedule();

  return {
    poll,
    follow: (hostPids) => {
      for (const pid of hostPids) followOne(instance, pid);
      // Before the first pid an empty filter would mean "everybody".
      if (!following && hostControlFiles.read(`${instance}/set_event_pid`).trim() !== '') {
        hostControlFiles.write(`${instance}/tracing_on`, '1');
        following = true;
      }
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      source.close();
      removeInstance(instance);
      await tracefs.release();
    },
  };
}

function followOne(instance: string, pid: number): void {
  if (!Number.isInteger(pid) || pid <= 0 || findProcStat(pid) === undefined) return;
  hostControlFiles.write(`${instance}/set_event_pid`, String(pid)); // without O_TRUNC a write adds to the list
}

/** Every processor's pages, as batches in order of time. */
function openPages(instance: string, reader: RecordReader) {
  const cpus: TracePages[] = hostControlFiles
    .list(`${instance}/per_cpu`)
    .map((cpu) => openTracePages(`${instance}/per_cpu/${cpu}/trace_pipe_raw`));
  const page = new Uint8Array(pageBytes(instance));
  const view = new DataView(page.buffer);
  let held: TraceRecord[] = [];

  return {
    read: (): TraceBatch => {
      // What happens while the processors are read in turn is held back, or a child's exec could overtake its fork.
      const until = monotonicMs();
      const records = held;
      let lost = 0;
      for (const cpu of cpus) {
        for (let n = 0; n < PAGES_PER_POLL && cpu.read(page); n++) {
          const result = readTracePage(view, (atMs, offset, length) => {
            const record = reader.read(view, atMs, offset, length);
            if (record) records.push(record);
          });
          lost = result.lost < 0 || lost < 0 ? -1 : lost + result.lost;
        }
      }
      records.sort((a, b) => a.atMs - b.atMs);
      const ripe = records.findIndex((record) => record.atMs > until);
      held = ripe < 0 ? [] : records.slice(ripe);
      return { records: ripe < 0 ? records : records.slice(0, ripe), lost };
    },
    close: () => {
      for (const cpu of cpus) cpu.close();
    },
  };
}

function pageBytes(instance: string): number {
  const file = `${instance}/buffer_subbuf_size_kb`; // since Linux 6.8; before, a page is a page
  return hostControlFiles.kind(file) === undefined ? 4096 : Math.max(4096, Number(hostControlFiles.read(file)) * 1024);
}

function unavailable(reason: string): EngineError {
  return new EngineError('unsupported', `kernel events cannot be recorded: ${reason.replace(/\.$/, '')}`, {
    code: 'E_TRACEFS_UNAVAILABLE',
    op: 'recorder.open',
    hint: 'everything else works; panels show what the samplers see',
  });
}
