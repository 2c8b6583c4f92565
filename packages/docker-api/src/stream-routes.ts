/**
 * Docker API: logs and events, and attach and exec for clients that do not upgrade.
 *
 * @spec docker-api/v1.47#operation/ContainerLogs
 */
import { once } from 'node:events';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { BackendEvent, BackendExecConfig, BackendLogOptions } from './backend.ts';
import { present } from './create-request.ts';
import { badRequest } from './docker-status.ts';
import { Fields, queryFlag, queryNumber, queryText } from './fields.ts';
import { EVENT_FILTERS, eventMatches, parseFilters } from './filters.ts';
import { formatNanoseconds, parseTimestamp } from './human-duration.ts';
import { param, query, type RouteContext, spanOf } from './route-context.ts';
import { encodeStdcopy, streamMediaType } from './stdcopy.ts';
import { pumpOutput } from './stream-pump.ts';
import { readAttachOptions, readExecStart } from './upgrade-routes.ts';

/** Events that a client has not read yet; one that reads none of them must not fill this daemon's memory. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/** What setTimeout takes; beyond it, it fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export async function streamRoutes(app: FastifyInstance, context: RouteContext): Promise<void> {
  logRoute(app, context);
  eventRoute(app, context);
  execRoutes(app, context);

  app.post('/containers/:id/attach', async (request, reply) => {
    const container = context.backend.inspect(param(request, 'id'));
    const attachment = await context.backend.attach(container.id, { ...readAttachOptions(query(request)), stdin: false });
    const sink = beginStream(reply, container.request.tty);
    await pumpOutput(attachment, sink, container.request.tty);
    sink.end();
    return reply;
  });
}

function beginStream(reply: FastifyReply, raw: boolean) {
  reply.hijack();
  reply.raw.writeHead(200, { 'Content-Type': streamMediaType(raw) });
  reply.raw.flushHeaders();
  return reply.raw;
}

function logRoute(app: FastifyInstance, { backend, onInternalError }: RouteContext): void {
  app.get('/containers/:id/logs', async (request, reply) => {
    const container = backend.inspect(param(request, 'id'));
    const stamps = queryFlag(query(request)['timestamps']);
    const gone = new AbortController();
    const options = readLogOptions(query(request), gone.signal);
    const sink = beginStream(reply, container.request.tty);
    sink.on('close', () => gone.abort());
    try {
      for await (const line of backend.logs(container.id, options)) {
        if (sink.destroyed) break;
        const bytes = stamps ? Buffer.concat([Buffer.from(`${line.time} `), line.content]) : line.content;
        const more = sink.write(container.request.tty ? bytes : encodeStdcopy(line.stream, bytes));
        if (!more) await once(sink, 'drain', { signal: gone.signal }).catch(() => undefined); // or the client has left
      }
      sink.end();
    } catch (error) {
      // The answer has begun: that it is not whole can only be said by breaking it off.
      onInternalError(error);
      sink.destroy();
    }
    return reply;
  });
}

function readLogOptions(options: Readonly<Record<string, unknown>>, signal: AbortSignal): BackendLogOptions {
  const [stdout, stderr] = [queryFlag(options['stdout']), queryFlag(options['stderr'])];
  if (!stdout && !stderr) throw badRequest('Bad parameters: you must choose at least one stream');
  const [since, until] = (['since', 'until'] as const).map((name) => parseTimestamp(name, queryText(options[name])));
  return {
    stdout,
    stderr,
    follow: queryFlag(options['follow']),
    signal,
    ...readTail(options['tail']),
    ...(since === undefined ? {} : { since: formatNanoseconds(since) }),
    ...(until === undefined ? {} : { until: formatNanoseconds(until) }),
  };
}

/** `all`, and what is below 0, mean all lines. */
function readTail(value: unknown): Pick<BackendLogOptions, 'tail'> {
  const tail = queryText(value) === 'all' ? undefined : queryNumber('tail', value);
  return tail === undefined || tail < 0 ? {} : { tail };
}

function eventRoute(app: FastifyInstance, { backend }: RouteContext): void {
  app.get('/events', async (request, reply) => {
    const { filters: text, since: from, until: to } = query(request);
    const filters = parseFilters(queryText(text), EVENT_FILTERS);
    const [since, until] = [parseTimestamp('since', queryText(from)), parseTimestamp('until', queryText(to))];
    reply.hijack();
    const sink = reply.raw;
    sink.writeHead(200, { 'Content-Type': 'application/json' });
    sink.flushHeaders();
    const send = (event: BackendEvent) => {
      if (sink.destroyed || !eventMatches(event, filters) || (until !== undefined && event.timeNs > until)) return;
      sink.write(`${JSON.stringify(toEventJson(event))}\n`);
      if (sink.writableLength > MAX_UNREAD_BYTES) sink.destroy();
    };
    if (since !== undefined) for (const event of backend.pastEvents()) if (event.timeNs >= since) send(event);
    const leave = backend.onEvent(send);
    sink.on('close', leave);
    if (until === undefined) return reply;
    const left = Number(until / 1_000_000n) - Date.now();
    const end = () => {
      leave(); // nothing may be written behind the end
      sink.end();
    };
    const timer = setTimeout(end, Math.min(Math.max(0, left), LONGEST_TIMER_MS));
    sink.on('close', () => clearTimeout(timer));
    return reply;
  });
}

function toEventJson(event: BackendEvent): object {
  const { type, action, id, attributes, timeNs } = event;
  return {
    ...(type === 'container' ? { status: action, id, from: attributes['image'] ?? '' } : {}),
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Number(timeNs / 1_000_000_000n),
    timeNano: Number(timeNs),
  };
}

function execRoutes(app: FastifyInstance, { backend }: RouteContext): void {
  app.post('/containers/:id/exec', async (request, reply) => {
    return reply.status(201).send({ Id: backend.createExec(param(request, 'id'), readExecConfig(request.body)).id });
  });

  app.post('/exec/:id/start', async (request, reply) => {
    const exec = backend.inspectExec(param(request, 'id'));
    const { detach, size } = readExecStart(request.body);
    const { stdout, stderr, tty } = exec.config;
    const attach = detach ? {} : { attach: { stdin: false, stdout, stderr } };
    const attachment = await backend.startExec(exec.id, { ...attach, ...(size === undefined ? {} : { size }) }, spanOf(request));
    if (attachment === undefined) return reply.status(200).send();
    const sink = beginStream(reply, tty);
    await pumpOutput(attachment, sink, tty);
    sink.end();
    return reply;
  });

  app.get('/exec/:id/json', async (request) => {
    const { id, container, config, status, pid, exitCode } = backend.inspectExec(param(request, 'id'));
    const [entrypoint = '', ...args] = config.args;
    return {
      ID: id,
      ContainerID: container,
      Running: status === 'running',
      ExitCode: exitCode ?? null,
      Pid: pid,
      OpenStdin: config.stdin,
      OpenStdout: config.stdout,
      OpenStderr: config.stderr,
      CanRemove: status === 'exited',
      DetachKeys: '',
      ProcessConfig: { tty: config.tty, entrypoint, arguments: args, privileged: config.privileged, user: config.user ?? '' },
    };
  });

  app.post('/exec/:id/resize', async (request, reply) => {
    const { h, w } = query(request);
    backend.resizeExec(param(request, 'id'), queryNumber('h', h) ?? 0, queryNumber('w', w) ?? 0);
    return reply.status(200).send();
  });
}

function readExecConfig(body: unknown): BackendExecConfig {
  const fields = new Fields(body);
  return {
    args: fields.texts('Cmd') ?? [],
    env: fields.texts('Env') ?? [],
    ...present({ user: fields.text('User'), workingDir: fields.text('WorkingDir') }),
    tty: fields.flag('Tty'),
    stdin: fields.flag('AttachStdin'),
    stdout: fields.flag('AttachStdout'),
    stderr: fields.flag('AttachStderr'),
    privileged: fields.flag('Privileged'),
  };
}
