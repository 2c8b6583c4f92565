/**
 * `docker run`, `create`, `start` and `attach`.
 *
 * Knows: the order docker keeps: create, attach, wait, start; so that not a byte and no exit code is lost.
 * Does not know: flags' meaning (container-body.ts), bytes' framing (streams.ts).
 */

import { parseFlags, UsageError } from '../../flags.ts';
import { CREATE_FLAGS, type CreateBody, containerBody } from '../container-body.ts';
import { DaemonError } from '../daemon.ts';
import { consoleSize, followSize, joinStreams, type Session } from '../streams.ts';
import type { Command, Context } from './context.ts';

/** The engine could not do it; docker's own convention. */
const ENGINE_FAILED = 125;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

export const run: Command = async (context) => {
  const flags = parseFlags(
    context.args,
    { ...CREATE_FLAGS, detach: { kind: 'switch', short: 'd' }, 'sig-proxy': { kind: 'value' } },
    false,
  );
  const body = sized(containerBody(flags, context.environment));
  const id = await createContainer(context, body, flags.value('name'));
  if (flags.has('detach')) {
    const failure = await startContainer(context, id);
    if (failure === undefined) context.out(`${id}\n`);
    return failure ?? 0;
  }
  return await runAttached(context, id, { tty: flags.has('tty'), stdin: flags.has('interactive') }, flags.has('rm'));
};

export const create: Command = async (context) => {
  const flags = parseFlags(context.args, CREATE_FLAGS, false);
  const body = sized(containerBody(flags, context.environment));
  context.out(`${await createContainer(context, body, flags.value('name'))}\n`);
  return 0;
};

export const start: Command = async (context) => {
  const flags = parseFlags(context.args, { attach: { kind: 'switch', short: 'a' }, interactive: { kind: 'switch', short: 'i' } });
  const [first] = flags.words;
  if (first === undefined) throw new UsageError('"docker start" requires at least 1 argument: the container');
  if (flags.has('attach') || flags.has('interactive')) {
    const { tty } = await inspectSession(context, first);
    return await runAttached(context, first, { tty, stdin: flags.has('interactive') }, false);
  }
  let code = 0;
  for (const name of flags.words) {
    const failure = await startContainer(context, name);
    if (failure === undefined) context.out(`${name}\n`);
    else code = 1;
  }
  return code;
};

export const attach: Command = async (context) => {
  const flags = parseFlags(context.args, { 'no-stdin': { kind: 'switch' }, 'sig-proxy': { kind: 'value' } });
  const [name] = flags.words;
  if (name === undefined) throw new UsageError('"docker attach" requires exactly 1 argument: the container');
  const { tty, openStdin, running } = await inspectSession(context, name);
  if (!running) throw new UsageError('you cannot attach to a stopped container, start it first');
  const exited = waitFor(context, name, 'not-running');
  const ended = await join(context, name, { tty, stdin: openStdin && !flags.has('no-stdin') });
  return ended === 'detached' ? 0 : await exited;
};

/** The body of a container on a terminal says how large ours is: it begins with that, whoever starts it. */
export function sized(body: CreateBody): CreateBody {
  return body['Tty'] === true ? { ...body, HostConfig: { ...(body['HostConfig'] as CreateBody), ...consoleSize() } } : body;
}

async function createContainer(context: Context, body: Readonly<Record<string, unknown>>, name: string | undefined): Promise<string> {
  const path = `/containers/create${name === undefined ? '' : `?name=${encodeURIComponent(name)}`}`;
  const created = () => context.daemon.call<{ Id: string; Warnings?: readonly string[] }>('POST', path, body);
  const { Id, Warnings } = await created().catch(async (error: unknown) => {
    if (!(error instanceof DaemonError) || error.status !== 404 || !/image/i.test(error.message)) throw error;
    context.err(`Unable to find image '${withTag(String(body['Image']))}' locally\n`);
    const { pullImage } = await import('./transfer.ts');
    await pullImage(context, String(body['Image']), { out: context.err });
    return await created();
  });
  for (const warning of Warnings ?? []) context.err(`WARNING: ${warning}\n`);
  return Id;
}

function withTag(image: string): string {
  return /[:@][^/]*$/.test(image) ? image : `${image}:latest`;
}

/** @returns undefined when it runs, else the exit code, the reason told */
async function startContainer(context: Context, id: string): Promise<number | undefined> {
  try {
    await context.daemon.call('POST', `/containers/${encodeURIComponent(id)}/start`);
    return undefined;
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    context.err(`docker: Error response from daemon: ${error.message}\n`);
    return exitCodeOf(error.message);
  }
}

/** Docker tells these cases apart by the engine's sentence, and so do scripts that read the exit code. */
function exitCodeOf(message: string): number {
  if (/executable file not found|no such file or directory|system cannot find the file/i.test(message)) return NOT_FOUND;
  if (/permission denied|is a directory/i.test(message)) return NOT_EXECUTABLE;
  return ENGINE_FAILED;
}

/** @param removed whether the container is gone once it has ended */
export async function runAttached(context: Context, id: string, session: Session, removed: boolean): Promise<number> {
  const exited = waitFor(context, id, removed ? 'removed' : 'next-exit');
  exited.catch(() => undefined); // read below; until then a failing start must not count as unhandled
  const query = `stream=1&stdout=1&stderr=1${session.stdin ? '&stdin=1' : ''}`;
  const connection = await context.daemon.hijack(`/containers/${encodeURIComponent(id)}/attach?${query}`);
  const joined = joinStreams(connection, session);
  const failure = await startContainer(context, id);
  if (failure !== undefined) {
    connection.socket.destroy();
    return failure;
  }
  const stopSize = session.tty ? followSize((rows, columns) => resize(context, id, rows, columns)) : undefined;
  const stopSignals = session.tty ? undefined : passSignals(context, id);
  const ended = await joined;
  stopSize?.();
  const code = ended === 'detached' ? 0 : await exited;
  stopSignals?.();
  return code;
}

async function join(context: Context, id: string, session: Session): Promise<'closed' | 'detached'> {
  const query = `stream=1&stdout=1&stderr=1${session.stdin ? '&stdin=1' : ''}`;
  const connection = await context.daemon.hijack(`/containers/${encodeURIComponent(id)}/attach?${query}`);
  const stopSize = session.tty ? followSize((rows, columns) => resize(context, id, rows, columns)) : undefined;
  const ended = await joinStreams(connection, session);
  stopSize?.();
  return ended;
}

async function waitFor(context: Context, id: string, condition: string): Promise<number> {
  const { StatusCode } = await context.daemon.call<{ StatusCode: number }>(
    'POST',
    `/containers/${encodeURIComponent(id)}/wait?condition=${condition}`,
  );
  return StatusCode;
}

function resize(context: Context, id: string, rows: number, columns: number): Promise<unknown> {
  return context.daemon.call('POST', `/containers/${encodeURIComponent(id)}/resize?h=${rows}&w=${columns}`);
}

/** Without a tty, our own signals go to the container's process. */
function passSignals(context: Context, id: string): () => void {
  const pass = (signal: NodeJS.Signals) => {
    context.daemon.call('POST', `/containers/${encodeURIComponent(id)}/kill?signal=${signal}`).catch(() => undefined); // it ended already
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
  for (const signal of signals) process.on(signal, pass);
  return () => {
    for (const signal of signals) process.off(signal, pass);
  };
}

async function inspectSession(context: Context, name: string): Promise<{ tty: boolean; openStdin: boolean; running: boolean }> {
  const { Config, State } = await context.daemon.call<{ Config: { Tty: boolean; OpenStdin: boolean }; State: { Running: boolean } }>(
    'GET',
    `/containers/${encodeURIComponent(name)}/json`,
  );
  return { tty: Config.Tty, openStdin: Config.OpenStdin, running: State.Running };
}
