/**
 * Sends the journal to the lab daemon, over a unix socket, for as long as both live.
 *
 *     labd:     {"resumeAfter": 41, "boot": "3f…"}         (the run it knows, or null)
 *     slipwayd: {"hello": {"boot": "3f…", "pid": 7, "root": "/var/lib/slipway"}}
 *               {"type": "span", …, "atMs": …, "n": 42} …
 *
 * Knows: reconnecting for ever, resuming where labd left off, and that a slow labd must not fill this daemon's memory.
 * Does not know: what events mean.
 */
import { createConnection, type Socket } from 'node:net';
import { createLineSplitter, LINE_LIMIT } from '@slipway/journal';
import { formatLine, type JournalFeed } from './journal-feed.ts';

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 5000;

export interface LabLink {
  close(): void;
}

export interface LabLinkOptions {
  /** Socket that labd listens on. */
  readonly path: string;
  /** The engine's directory: tells labd which of a machine's engines this is. */
  readonly root: string;
  readonly onProblem: (message: string) => void;
}

export function openLabLink({ path, root, onProblem }: LabLinkOptions, feed: JournalFeed): LabLink {
  let delayMs = FIRST_DELAY_MS;
  let timer: NodeJS.Timeout | undefined;
  let socket: Socket | undefined;
  let closed = false;

  const connect = (): void => {
    let greeted = false;
    socket = createConnection(path);
    socket.on('error', (error) => onProblem(error.message));
    socket.on('close', () => {
      delayMs = greeted ? FIRST_DELAY_MS : Math.min(delayMs * 2, LONGEST_DELAY_MS);
      if (!closed) timer = setTimeout(connect, delayMs);
    });
    const current = socket;
    serve(current, { feed, root }, () => {
      greeted = true;
    });
  };
  connect();

  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}

function serve(socket: Socket, { feed, root }: { readonly feed: JournalFeed; readonly root: string }, onGreeted: () => void): void {
  let isOpen = false;
  const lines = createLineSplitter(LINE_LIMIT, (line) => {
    if (isOpen || line === undefined) return;
    const after = readGreeting(line, feed.boot);
    if (after === undefined) return void socket.destroy();
    isOpen = true;
    onGreeted();
    socket.write(`${JSON.stringify({ hello: { boot: feed.boot, pid: process.pid, root } })}\n`);
    follow(socket, feed, after);
  });
  socket.on('data', (bytes) => lines.push(bytes));
}

/** The number to go on after; 0 for a labd that knows another run; undefined for what is no greeting. */
function readGreeting(line: string, boot: string): number | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('resumeAfter' in value)) return undefined;
    const { resumeAfter } = value;
    if (typeof resumeAfter !== 'number' || !Number.isSafeInteger(resumeAfter) || resumeAfter < 0) return undefined;
    return 'boot' in value && value.boot === boot ? resumeAfter : 0;
  } catch {
    return undefined;
  }
}

/** Writes what the socket takes; while it is full, events wait in the ring and, if too many, become a gap there. */
function follow(socket: Socket, { ring }: JournalFeed, after: number): void {
  let cursor = after;
  const flush = (): void => {
    while (!socket.destroyed && !socket.writableNeedDrain) {
      const events = ring.read(cursor, 200);
      if (events.length === 0) return;
      cursor = events.at(-1)?.seq ?? cursor;
      socket.write(`${events.map(shorten).join('\n')}\n`);
    }
  };
  const leave = ring.subscribe(flush);
  socket.on('drain', flush);
  socket.on('close', leave);
  flush();
}

/** A line that labd would refuse is replaced by a gap, so that its absence is known. */
function shorten(event: Parameters<typeof formatLine>[0]): string {
  const line = formatLine(event);
  if (line.length <= LINE_LIMIT) return line;
  return JSON.stringify({ type: 'gap', reason: `an event of type ${event.type} was too large`, count: 1, atMs: event.atMs, n: event.seq });
}
