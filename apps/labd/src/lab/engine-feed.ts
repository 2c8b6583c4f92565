/**
 * The socket on which a machine's engine tells what it does.
 *
 * Knows: the greeting, one feed at a time of each engine (a learner may start a second one beside the machine's own), how fast a machine may talk.
 * Does not know: what the lines mean (the intake validates them) or where they go.
 *
 *     slipwayd                                             labd
 *        │◀──────────── {"resumeAfter":340,"boot":"…"|null} ─┤   the last engine process heard of, and how far
 *        ├─ {"hello":{"boot":"…","pid":12,"root":"/…"}} ────▶│   this one; after 340 only if it is the same
 *        ├─ {"type":"span",…,"atMs":…,"n":341} ─────────────▶│
 *
 * Everything in the machine may connect and say anything; it can only spoil its own journal.
 */
import { lstatSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { EngineError } from '@slipway/errors';
import { createIntake, type Intake, type JournalBody } from '@slipway/journal';
import { listening, monotonicMs } from '@slipway/kernel';
import { z } from 'zod';
import { Allowance, throttle } from '../rate.ts';
import type { FeedMark } from '../store.ts';

export interface EngineFeedOptions {
  /** Host directory that the machine sees; must be ours alone to write. */
  readonly labDir: string;
  readonly mark: () => FeedMark | undefined;
  readonly onMark: (mark: FeedMark) => void;
  readonly emit: (body: JournalBody, atMs: number) => void;
  /** Told of connections that could not be accepted. */
  readonly onTrouble: (error: Error) => void;
}

const Hello = z.object({
  hello: z.object({
    boot: z.string().min(1).max(100),
    pid: z.number().optional(),
    /** Where the engine keeps what must last: tells one engine from another. */
    root: z.string().max(1000).default(''),
  }),
});
type Hello = z.infer<typeof Hello>['hello'];
/** Of the engine that every machine begins with; boot.sh says the same. */
const OWN_ROOT = '/var/lib/slipway';
/** Engines beside it. */
const MAX_BESIDE = 3;
/** What an engine may report. Kernel events, processes, cgroups and checks are found by the host. */
const REPORTABLE: ReadonlySet<JournalBody['type']> = new Set(['epoch', 'span', 'container', 'layers', 'disk', 'notice', 'gap']);
const HELLO_BYTES = 4096;
const HELLO_MS = 5000;
const NEWLINE = 0x0a;
/** Of a machine over the long run, however many connections it takes for it; a burst may be four seconds' worth. */
const BYTES_PER_SECOND = 4 * 1024 * 1024;
const EVENTS_PER_SECOND = 2000;
const MAX_CONNECTIONS = 8;

export class EngineFeed {
  readonly #options: EngineFeedOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #bytes = new Allowance(BYTES_PER_SECOND, 4 * BYTES_PER_SECOND, monotonicMs);
  readonly #events = new Allowance(EVENTS_PER_SECOND, 4 * EVENTS_PER_SECOND, monotonicMs);
  #current: Socket | undefined;
  /** By root. Where they stand is forgotten with labd: what they told before is then told again, and changes nothing. */
  readonly #beside = new Map<string, { socket?: Socket; mark?: FeedMark }>();

  private constructor(options: EngineFeedOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#greet(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws EngineError `failed-precondition` / `E_LAB_DIR` when the machine could write the directory */
  static async open(options: EngineFeedOptions): Promise<EngineFeed> {
    const { labDir } = options;
    const stat = lstatSync(labDir);
    // Were it the machine's, its root could put a link in the socket's place and have us change or remove another file.
    if (!stat.isDirectory() || stat.uid !== process.geteuid?.() || (stat.mode & 0o022) !== 0) {
      throw new EngineError('failed-precondition', 'the directory shared with the machine can be written by others', {
        code: 'E_LAB_DIR',
        op: 'feed.open',
      });
    }
    const path = `${labDir}/journal.sock`;
    rmSync(path, { force: true });
    const feed = new EngineFeed(options);
    // The engine is root in the machine and nobody here. The mask rather than a later chmod, which would go by name.
    await listening(feed.#server, { path, umask: 0, onTrouble: options.onTrouble });
    return feed;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Reads the first line, bounded in length and time. */
  #greet(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    const known = this.#options.mark();
    socket.write(`${JSON.stringify({ resumeAfter: known?.n ?? 0, boot: known?.boot ?? null })}\n`);
    const timer = setTimeout(() => socket.destroy(), HELLO_MS);
    throttle(socket, this.#bytes, 0);
    let held = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      held = Buffer.concat([held, chunk]);
      const end = held.indexOf(NEWLINE);
      if (end < 0 && held.length <= HELLO_BYTES) return;
      clearTimeout(timer);
      socket.off('data', onData);
      const hello = end < 0 || end > HELLO_BYTES ? undefined : readHello(held.subarray(0, end).toString());
      if (hello === undefined) socket.destroy();
      else this.#follow(socket, hello, held.subarray(end + 1));
    };
    socket.on('data', onData);
    socket.on('close', () => clearTimeout(timer));
  }

  #follow(socket: Socket, { boot, root }: Hello, rest: Buffer): void {
    const known = this.#placeOf(root);
    if (known === undefined) return void socket.destroy();
    // The newest wins: after a restart the engine's old connection may not have been noticed to be dead.
    known.replace(socket);
    const mark = known.mark();
    const intake = createIntake({
      types: REPORTABLE,
      // Which kernel and machine this is, is the host's to say: its own epoch stands in the journal.
      emit: (body, atMs) => body.type !== 'epoch' && this.#options.emit(body, atMs),
      now: monotonicMs,
      allow: () => this.#events.take(),
      after: mark?.boot === boot ? mark.n : -1,
      onNumber: (n) => known.onMark({ boot, n }),
    });
    socket.on('close', () => {
      intake.end();
      known.left(socket);
    });
    this.#listen(socket, intake, rest);
  }

  #listen(socket: Socket, intake: Intake, first: Buffer): void {
    const take = (chunk: Buffer): void => {
      intake.push(chunk);
      throttle(socket, this.#bytes, chunk.length);
    };
    if (first.length > 0) take(first);
    socket.on('data', take);
  }

  /** Of engines that are gone, the one first heard of is forgotten for another; undefined: all of them are there. */
  #makeRoom(): { socket?: Socket; mark?: FeedMark } | undefined {
    if (this.#beside.size < MAX_BESIDE) return {};
    const gone = [...this.#beside].find(([, { socket }]) => socket === undefined);
    if (gone === undefined) return undefined;
    this.#beside.delete(gone[0]);
    return {};
  }

  /** What is known of an engine and its connection; undefined when there are too many engines. */
  #placeOf(root: string) {
    if (root === '' || root === OWN_ROOT) {
      const { mark, onMark } = this.#options;
      const replace = (socket: Socket) => {
        this.#current?.destroy();
        this.#current = socket;
      };
      const left = (socket: Socket) => {
        if (this.#current === socket) this.#current = undefined;
      };
      return { mark, onMark, replace, left };
    }
    const engine = this.#beside.get(root) ?? this.#makeRoom();
    if (engine === undefined) return undefined;
    this.#beside.set(root, engine);
    return {
      mark: () => engine.mark,
      onMark: (mark: FeedMark) => {
        engine.mark = mark;
      },
      replace: (socket: Socket) => {
        engine.socket?.destroy();
        engine.socket = socket;
      },
      left: (socket: Socket) => {
        if (engine.socket === socket) delete engine.socket;
      },
    };
  }
}

function readHello(line: string): Hello | undefined {
  try {
    return Hello.safeParse(JSON.parse(line)).data?.hello;
  } catch {
    return undefined;
  }
}
