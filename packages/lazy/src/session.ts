/**
 * The daemon's side of a lazy image's server: started, listened to, found again by the next daemon.
 *
 *     <directory>/session.json     what is served, without secrets     <n>.toc    the layer's index
 *     <directory>/process.json     who serves it                       <n>.blob   its bytes as far as they are here
 *     <directory>/events           what has happened
 *
 * Knows: these files, and when a server is there no more.
 * Does not know: what a layer becomes once it is whole.
 */
import {
  delay,
  ensurePrivateDirectory,
  findText,
  type GrowingFile,
  isSameProcess,
  openGrowingFile,
  removeTree,
  startDetached,
  uncover,
  writeFileAtomic,
} from '@slipway/kernel';
import type { Credentials, ProxyRules } from '@slipway/registry-client';
import { type LazyEvent, parseEvent } from './events.ts';
import { type ServerSession, type ServerTask, sessionFiles } from './server-task.ts';

const SERVER = new URL('./server-main.ts', import.meta.url);
/** Somebody waits for the first event; later ones are for pictures. */
const FIRST_POLL_MS = 10;
const POLL_MS = 100;
const READ_BYTES = 64 * 1024;

export interface StartOptions {
  readonly directory: string;
  readonly session: ServerSession;
  /** By layer, as in the session. */
  readonly tocs: readonly Uint8Array[];
  readonly credentials?: Credentials;
  readonly proxies?: ProxyRules | undefined;
  readonly compileCacheDir: string;
}

/** Makes the session's directory and starts its server; listen to it for `ready`. */
export async function startSession({ directory, session, tocs, ...options }: StartOptions): Promise<void> {
  const files = sessionFiles(directory);
  await ensurePrivateDirectory(directory);
  await ensurePrivateDirectory(files.mountPoint);
  for (const [layer, toc] of tocs.entries()) await writeFileAtomic(files.toc(layer), toc, { mode: 0o600 });
  await writeFileAtomic(files.session, JSON.stringify(session), { mode: 0o600 });
  await startServer(directory, session, options);
}

/** Starts a server, again perhaps: what an earlier one had fetched is fetched anew. */
export async function startServer(
  directory: string,
  session: ServerSession,
  { compileCacheDir, ...secrets }: Pick<StartOptions, 'credentials' | 'proxies' | 'compileCacheDir'>,
): Promise<void> {
  const files = sessionFiles(directory);
  await removeTree(files.events);
  const input = JSON.stringify({ directory, session, ...secrets } satisfies ServerTask);
  const started = await startDetached({ module: SERVER, input, linesPath: files.events, compileCacheDir });
  await writeFileAtomic(files.process, JSON.stringify(started), { mode: 0o600 });
}

/** What an earlier daemon left; undefined when it had not come so far. */
export async function findSession(directory: string): Promise<ServerSession | undefined> {
  const text = await findText(sessionFiles(directory).session);
  return text === undefined ? undefined : (JSON.parse(text) as ServerSession);
}

/** Whether the session's server runs. */
export async function isServed(directory: string): Promise<boolean> {
  const text = await findText(sessionFiles(directory).process);
  if (text === undefined) return false;
  const { pid, startTime } = JSON.parse(text) as { pid: number; startTime: string };
  return isSameProcess(pid, startTime);
}

/** Takes off what a session's layers are covered with; who reads there goes on, as long as the server does. */
export async function uncoverLayers(session: ServerSession, directory: string): Promise<void> {
  for (const { target } of session.layers) await uncover(target);
  await uncover(sessionFiles(directory).mountPoint);
}

/** Every event from the beginning, in order, then those to come; ends when the server has gone, or on abort. */
export async function* sessionEvents(directory: string, signal: AbortSignal): AsyncGenerator<LazyEvent> {
  const { events } = sessionFiles(directory);
  let file: GrowingFile | undefined;
  try {
    file = await openGrowingFile(events);
    let [offset, rest, seen] = [0, '', 0];
    while (file !== undefined && !signal.aborted) {
      const served = await isServed(directory);
      const bytes = await file.read(offset, READ_BYTES);
      offset += bytes.byteLength;
      const lines = (rest + Buffer.from(bytes).toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      for (const event of lines.map(parseEvent)) {
        if (event !== undefined) yield event;
        seen++;
      }
      if (bytes.byteLength > 0) continue;
      if (!served) return;
      await delay(seen === 0 ? FIRST_POLL_MS : POLL_MS);
    }
  } finally {
    await file?.close();
  }
}
