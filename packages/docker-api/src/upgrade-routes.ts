/**
 * Docker API: the two requests that become raw streams, attach and exec start.
 *
 * Knows: their paths and parameters.
 * Does not know: how bytes are moved (stream-pump.ts).
 *
 * @spec docker-api/v1.47#operation/ContainerAttach
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SpanContext } from '@slipway/journal';
import { stripVersion } from './api-version.ts';
import type { BackendAttachment, BackendAttachOptions } from './backend.ts';
import { clientSpan } from './client-span.ts';
import { isCells } from './create-request.ts';
import { badRequest } from './docker-status.ts';
import { Fields, queryFlag } from './fields.ts';
import { acceptUpgrade, readUpgradeBody, refuseUpgrade } from './hijack.ts';
import type { RouteContext } from './route-context.ts';
import { encodeStdcopy, streamMediaType } from './stdcopy.ts';
import { pumpInput, pumpOutput } from './stream-pump.ts';

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Handles a request with `Upgrade: tcp`. Never rejects: a failure is answered on the connection. */
export async function handleUpgrade(context: RouteContext, upgrade: Upgrade): Promise<void> {
  const { request, socket } = upgrade;
  const [path = '/', search = ''] = stripVersion(request.url ?? '/').split(/\?(.*)/s);
  const client = clientSpan(request.headers, context.tracer);
  const span = context.tracer.open({
    actor: 'api',
    name: `${request.method} ${path}`,
    protocol: 'HTTP upgraded to a raw stream',
    parent: client.parent,
  });
  socket.on('error', () => undefined); // 'close' follows, and whoever is attached leaves then
  try {
    const { verb, ref } = readTarget(request.method, path);
    if (verb === 'start') await startExec(context, upgrade, ref, span);
    else await attach(context, upgrade, ref, new URLSearchParams(search));
    span.close();
  } catch (error) {
    if (refuseUpgrade(socket, error) === 500) context.onInternalError(error);
    span.close(error);
  } finally {
    client.answered();
  }
}

function readTarget(method: string | undefined, path: string): { readonly verb: 'attach' | 'start'; readonly ref: string } {
  const [, container, exec] = /^\/(?:containers\/([^/]+)\/attach|exec\/([^/]+)\/start)$/.exec(path) ?? [];
  const name = container ?? exec;
  if (method !== 'POST' || name === undefined) throw badRequest('only attach and exec start can be upgraded');
  try {
    return { verb: exec === undefined ? 'attach' : 'start', ref: decodeURIComponent(name) };
  } catch {
    throw badRequest('the path is not percent-encoded UTF-8');
  }
}

async function attach({ backend }: RouteContext, { request, socket, head }: Upgrade, ref: string, search: URLSearchParams): Promise<void> {
  await readUpgradeBody(request, socket, head);
  const container = backend.inspect(ref);
  const attachment = await backend.attach(container.id, readAttachOptions(Object.fromEntries(search)));
  await stream(attachment, socket, container.request.tty);
}

async function startExec({ backend }: RouteContext, { request, socket, head }: Upgrade, id: string, parent: SpanContext): Promise<void> {
  const { size } = readExecStart(await readUpgradeBody(request, socket, head));
  const { stdin, stdout, stderr, tty } = backend.inspectExec(id).config;
  let attachment: BackendAttachment | undefined;
  try {
    attachment = await backend.startExec(id, { attach: { stdin, stdout, stderr }, ...(size === undefined ? {} : { size }) }, parent);
  } catch (error) {
    if (backend.inspectExec(id).exitCode === undefined) throw error;
    // Its exit code says "not found" or "not executable": the client shows the text and asks for the code.
    const text = Buffer.from(`${error instanceof Error ? error.message : String(error)}\r\n`);
    acceptUpgrade(socket, streamMediaType(tty));
    socket.end(tty ? text : encodeStdcopy('stderr', text));
    return;
  }
  if (attachment !== undefined) await stream(attachment, socket, tty);
}

async function stream(attachment: BackendAttachment, socket: Duplex, raw: boolean): Promise<void> {
  acceptUpgrade(socket, streamMediaType(raw));
  void pumpInput(socket, attachment);
  await pumpOutput(attachment, socket, raw);
  socket.end();
  // Input that comes after the end of the process must not keep the connection.
  socket.resume();
}

export function readAttachOptions(options: Readonly<Record<string, unknown>>): BackendAttachOptions {
  const stream = queryFlag(options['stream']);
  return {
    stdin: stream && queryFlag(options['stdin']),
    stdout: stream && queryFlag(options['stdout']),
    stderr: stream && queryFlag(options['stderr']),
  };
}

export function readExecStart(body: unknown): {
  readonly detach: boolean;
  readonly size?: { readonly rows: number; readonly columns: number };
} {
  const fields = new Fields(body);
  const size = fields.raw('ConsoleSize');
  const [rows, columns]: unknown[] = Array.isArray(size) ? size : [];
  return { detach: fields.flag('Detach'), ...(isCells(rows) && isCells(columns) ? { size: { rows, columns } } : {}) };
}
