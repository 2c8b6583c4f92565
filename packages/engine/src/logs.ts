/**
 * Reading a container's log: what is there, then what comes.
 *
 *     container.log.1   (older, at most one)
 *     container.log     (being written by the shim)
 *
 * Knows: rotation, tail, since, until, follow.
 * Does not know: how lines are framed for a client.
 */
import { delay, type GrowingFile, openGrowingFile } from '@slipway/kernel';
import type { LiveContainer } from './live-container.ts';
import { type LogLine, LogLineReader, lastLines } from './log-lines.ts';
import type { EngineContext } from './ports.ts';

export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Absent: all. */
  readonly tail?: number;
  /** RFC 3339 with nanoseconds, UTC. */
  readonly since?: string;
  readonly until?: string;
  /** Go on until the process ends. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
}

const CHUNK_BYTES = 64 * 1024;
/** How long a written line may stay unseen by a follower. */
const POLL_MS = 40;

/** Lines in order. Ends at the log's end, or with `follow` when the process has ended and all is read, or on abort. */
export async function* readLogs(engine: EngineContext, container: LiveContainer, options: LogOptions): AsyncGenerator<LogLine> {
  const path = `${engine.containers.directory(container.id)}/container.log`;
  const wanted = (line: LogLine) =>
    (line.stream === 'stdout' ? options.stdout : options.stderr) &&
    (options.since === undefined || line.time >= options.since) &&
    (options.until === undefined || line.time <= options.until);
  // The current file is held open before the older one is read, so that a rotation in between repeats and loses nothing.
  let current = await openGrowingFile(path);
  try {
    const reader = new LogLineReader();
    let offset = 0;
    const history = async function* (): AsyncGenerator<LogLine> {
      yield* readOlder(`${path}.1`, current?.inode);
      if (current !== undefined) offset = yield* readToEnd(current, 0, reader);
    };
    yield* options.tail === undefined ? filter(history(), wanted) : await tailOf(history(), wanted, options.tail);
    while (options.follow && options.signal?.aborted !== true) {
      const alive = isAlive(container);
      current ??= await openGrowingFile(path);
      if (current !== undefined) offset = yield* filter(readToEnd(current, offset, reader), wanted);
      const next = await findRotated(path, current);
      if (next !== undefined) {
        const [rotated, from] = [current, offset];
        [current, offset] = [next, 0]; // first, so that it is closed even when whoever reads leaves at this moment
        yield* restOf(rotated, from, { reader, wanted });
        continue;
      }
      if (!alive || (options.until !== undefined && new Date().toISOString() > options.until)) return;
      await delay(POLL_MS);
    }
  } finally {
    await current?.close();
  }
}

/** What was still written to a file before another took its name; closes it. */
async function* restOf(
  file: GrowingFile | undefined,
  from: number,
  { reader, wanted }: { readonly reader: LogLineReader; readonly wanted: (line: LogLine) => boolean },
): AsyncGenerator<LogLine> {
  if (file === undefined) return;
  try {
    yield* filter(readToEnd(file, from, reader), wanted);
  } finally {
    await file.close();
  }
}

async function* readOlder(path: string, currentInode: number | undefined): AsyncGenerator<LogLine> {
  const older = await openGrowingFile(path);
  if (older === undefined) return;
  try {
    if (older.inode !== currentInode) yield* readToEnd(older, 0, new LogLineReader());
  } finally {
    await older.close();
  }
}

/** Returns the offset reached. */
async function* readToEnd(file: GrowingFile, from: number, reader: LogLineReader): AsyncGenerator<LogLine, number> {
  let offset = from;
  for (;;) {
    const bytes = await file.read(offset, CHUNK_BYTES);
    if (bytes.length === 0) return offset;
    offset += bytes.length;
    yield* reader.push(bytes);
  }
}

async function* filter<T>(lines: AsyncGenerator<LogLine, T>, wanted: (line: LogLine) => boolean): AsyncGenerator<LogLine, T> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return value;
    if (wanted(value)) yield value;
  }
}

/** Keeps no more lines in memory than asked for, twice over. */
async function tailOf(lines: AsyncGenerator<LogLine>, wanted: (line: LogLine) => boolean, count: number): Promise<readonly LogLine[]> {
  let kept: readonly LogLine[] = [];
  const recent: LogLine[] = [];
  for await (const line of filter(lines, wanted)) {
    recent.push(line);
    if (recent.length < Math.max(2 * count, 1000)) continue;
    kept = lastLines([...kept, ...recent.splice(0)], count);
  }
  return lastLines([...kept, ...recent], count);
}

/** The file that has taken the name, if it is another one than we read. */
async function findRotated(path: string, current: GrowingFile | undefined): Promise<GrowingFile | undefined> {
  if (current === undefined) return undefined;
  const named = await openGrowingFile(path);
  if (named === undefined || named.inode !== current.inode) return named;
  await named.close();
  return undefined;
}

function isAlive(container: LiveContainer): boolean {
  return container.record.status === 'running' || container.record.status === 'paused';
}
