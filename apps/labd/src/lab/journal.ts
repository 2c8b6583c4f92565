/**
 * One machine's journal as labd keeps it: a ring in memory, and a file that it survives labd in.
 *
 * Knows: that an event is on disk before a page sees it, so that after a crash no page is ahead of us; rotation; restoring. On a full disk
 *   it goes on without a file: the next labd finds none, and begins a journal of another name.
 * Does not know: who produces events, who reads them.
 *
 *     <dir>/<journal id>.ndjson     newest events
 *           <journal id>.ndjson.1   those before, one rotation back
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import {
  createRing,
  formatEvent,
  type JournalBody,
  type JournalEvent,
  type LoadedJournal,
  loadJournal,
  type Origin,
  type Ring,
} from '@slipway/journal';

export interface JournalOptions {
  /** A directory of this machine's journals alone. */
  readonly dir: string;
  readonly capacity?: number;
  readonly maxBytes?: number;
  readonly fileBytes?: number;
  /** Told once when the file cannot be written any more. */
  readonly onProblem?: (error: unknown) => void;
}

/** A burst becomes one write and one message to each page. */
const BATCH_MS = 16;
const CAPACITY = 100_000;
const RING_BYTES = 64 * 1024 * 1024;
/** Two files of this size at most. */
const FILE_BYTES = 32 * 1024 * 1024;
const NEWLINE = 0x0a;

export class LabJournal {
  readonly id: string;
  readonly #ring: Ring;
  readonly #path: string;
  readonly #fileBytes: number;
  readonly #onProblem: (error: unknown) => void;
  /** Absent: there is none any more. */
  #file: number | undefined;
  #written: number;
  /** Of the next write. */
  #beginning: string;
  readonly #unwritten: JournalEvent[] = [];
  readonly #deliveries: Array<() => void> = [];
  readonly #flushHooks = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(id: string, options: JournalOptions, restored: readonly JournalEvent[]) {
    this.id = id;
    this.#path = `${options.dir}/${id}.ndjson`;
    this.#fileBytes = options.fileBytes ?? FILE_BYTES;
    this.#onProblem = options.onProblem ?? (() => undefined);
    this.#ring = createRing({
      capacity: options.capacity ?? CAPACITY,
      maxBytes: options.maxBytes ?? RING_BYTES,
      startAfter: (restored[0]?.seq ?? 1) - 1,
      schedule: (deliver) => this.#schedule(deliver),
    });
    for (const event of restored) this.#ring.append(event, event.atMs, event.origin);
    this.#file = openSync(this.#path, 'a+', 0o600);
    this.#written = fstatSync(this.#file).size;
    this.#beginning = endsMidLine(this.#file, this.#written) ? '\n' : '';
  }

  /** An empty journal; those of earlier machines in the same directory are deleted. */
  static begin(options: JournalOptions): LabJournal {
    rmSync(options.dir, { recursive: true, force: true });
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    return new LabJournal(randomBytes(9).toString('base64url'), options, []);
  }

  /** The journal that labd kept before it ended; undefined when there is none, or it has holes. */
  static async restore(options: JournalOptions): Promise<LabJournal | undefined> {
    const names = existsSync(options.dir) ? readdirSync(options.dir) : [];
    const name = names.find((entry) => entry.endsWith('.ndjson'));
    if (name === undefined) return undefined;
    const older = await load(`${options.dir}/${name}.1`);
    const newer = await load(`${options.dir}/${name}`);
    const events = [...older.events, ...newer.events];
    const whole = events.every((event, i) => i === 0 || event.seq === (events[i - 1]?.seq ?? 0) + 1);
    if (!whole || events.length === 0) return undefined;
    return new LabJournal(name.slice(0, -'.ndjson'.length), options, events);
  }

  get firstSeq(): number {
    return this.#ring.firstSeq;
  }

  get lastSeq(): number {
    return this.#ring.lastSeq;
  }

  append(body: JournalBody, atMs: number, origin: Origin): void {
    this.#unwritten.push(this.#ring.append(body, atMs, origin));
    this.#arm();
  }

  /** See Ring.read: ascending, with keyframes and a gap where events are no longer held. */
  read(afterSeq: number, limit: number): readonly JournalEvent[] {
    return this.#ring.read(afterSeq, limit);
  }

  /** Calls `listener` with what was appended, in batches, once it is on disk. */
  subscribe(listener: (events: readonly JournalEvent[]) => void): () => void {
    return this.#ring.subscribe(listener);
  }

  /** Called with each write, for state that must keep up with the file. */
  onFlush(hook: () => void): () => void {
    this.#flushHooks.add(hook);
    return () => void this.#flushHooks.delete(hook);
  }

  /** Writes what is left. */
  close(): void {
    clearTimeout(this.#timer);
    this.#flush();
    this.#closeFile();
  }

  /** Subscribers hear after the file was written. */
  #schedule(deliver: () => void): void {
    this.#deliveries.push(deliver);
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
      for (const deliver of this.#deliveries.splice(0)) deliver();
    }, BATCH_MS);
  }

  #flush(): void {
    if (this.#unwritten.length === 0) return;
    const events = this.#unwritten.splice(0);
    if (this.#file === undefined) return;
    try {
      if (this.#written > this.#fileBytes) this.#rotate(this.#file);
      this.#write(Buffer.from(`${this.#beginning}${events.map(formatEvent).join('\n')}\n`));
      this.#beginning = '';
      for (const hook of this.#flushHooks) hook();
    } catch (error) {
      this.#giveUpFile();
      this.#onProblem(error);
    }
  }

  #write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength && this.#file !== undefined; ) at += writeSync(this.#file, bytes, at);
    this.#written += bytes.byteLength;
  }

  #rotate(file: number): void {
    this.#file = undefined;
    closeSync(file);
    renameSync(this.#path, `${this.#path}.1`);
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#written = 0;
  }

  /** A file that ends before what pages have seen must not be found by the next labd. */
  #giveUpFile(): void {
    this.#closeFile();
    for (const path of [this.#path, `${this.#path}.1`]) rmSync(path, { recursive: true, force: true });
  }

  #closeFile(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** A labd that was killed while it wrote may have left half a line. That is lost; what came right behind it would be, too. */
function endsMidLine(file: number, sizeBytes: number): boolean {
  const last = Buffer.alloc(1);
  return sizeBytes > 0 && readSync(file, last, 0, 1, sizeBytes - 1) === 1 && last[0] !== NEWLINE;
}

async function load(path: string): Promise<LoadedJournal> {
  if (!existsSync(path)) return { events: [], dropped: 0, truncated: false };
  return await loadJournal(createReadStream(path));
}
