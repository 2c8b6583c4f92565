/**
 * The HTTP half of the contract with the page (packages/contracts/src/session.ts).
 *
 * Knows: each path, its body and whose things it touches: always the session's own learner's.
 * Does not know: who may come in (access/guard.ts), how things are done (lab/).
 */
import { Readable } from 'node:stream';
import { HintRequest, LoginRequest, QuizAnswer, type Session, TaskRequest } from '@slipway/contracts';
import { EngineError } from '@slipway/errors';
import { formatEvent } from '@slipway/journal';
import { CONFIG_SCHEMA } from '@slipway/oci/schema';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { sessionOf } from '../access/guard.ts';
import type { LearnerSession, Sessions } from '../access/sessions.ts';
import type { LabJournal } from '../lab/journal.ts';
import { toInfo } from '../lab/learner-lab.ts';
import type { Learner, Learners } from '../lab/learners.ts';
import type { HostFacts, HostObserver } from '../ports.ts';

export interface RouteOptions {
  readonly learners: Learners;
  readonly sessions: Sessions;
  readonly observer: Pick<HostObserver, 'trace'>;
  readonly host: HostFacts;
  readonly cookieName: () => string;
  /** Behind TLS the cookie travels over TLS only. */
  readonly secureCookie: boolean;
}

const Params = z.object({ slug: z.string().max(100).default(''), id: z.string().max(100).default('') });
const Empty = z.strictObject({});
const LOGINS_PER_MINUTE = 10;
const CONFIG_SCHEMA_TEXT = JSON.stringify(CONFIG_SCHEMA);

export function addRoutes(app: FastifyInstance, options: RouteOptions): void {
  app.get('/healthz', { config: { access: 'public' } }, () => ({ status: 'ok' }));
  addSessionRoutes(app, options);
  addLessonRoutes(app, options);
  addMachineRoutes(app, options);
}

function addSessionRoutes(app: FastifyInstance, options: RouteOptions): void {
  const config = { access: 'login' as const, rateLimit: { max: LOGINS_PER_MINUTE, timeWindow: '1 minute' } };
  app.post('/api/login', { config }, (request, reply): Session => {
    const { code } = parseBody(LoginRequest, request);
    const { cookie, maxAgeSeconds, session } = options.sessions.login(code);
    reply.setCookie(options.cookieName(), cookie, {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure: options.secureCookie,
      maxAge: maxAgeSeconds,
    });
    return describeSession(session, options);
  });
  app.get('/api/session', (request) => describeSession(sessionOf(request), options));
  app.get('/api/config-schema', (_request, reply) => reply.type('application/schema+json').send(CONFIG_SCHEMA_TEXT));
}

function addLessonRoutes(app: FastifyInstance, { learners }: RouteOptions): void {
  const lessonsOf = (request: FastifyRequest) => learnerOf(request, learners).lessons;
  app.get('/api/lessons', (request) => ({ lessons: lessonsOf(request).list() }));
  app.get('/api/lessons/:slug', (request) => lessonsOf(request).view(params(request).slug));
  app.post('/api/lessons/:slug/hint', (request) => {
    const { task, grade } = parseBody(HintRequest, request);
    return { text: lessonsOf(request).hint(params(request).slug, task, grade) };
  });
  app.post('/api/lessons/:slug/solution', (request) => {
    const { task } = parseBody(TaskRequest, request);
    return { lines: lessonsOf(request).solution(params(request).slug, task) };
  });
  app.post('/api/lessons/:slug/quiz', (request) => {
    const { question, option } = parseBody(QuizAnswer, request);
    return lessonsOf(request).answer(params(request).slug, question, option);
  });
  app.post('/api/lessons/:slug/reset', (request) => {
    parseBody(Empty, request);
    return lessonsOf(request).reset(params(request).slug);
  });
}

function addMachineRoutes(app: FastifyInstance, { learners }: RouteOptions): void {
  const labOf = (request: FastifyRequest) => learnerOf(request, learners).lab;
  app.post('/api/machine/reset', async (request) => {
    parseBody(Empty, request);
    return await labOf(request).reset();
  });
  app.get('/api/terminals', (request) => ({ terminals: labOf(request).terminals }));
  app.post('/api/terminals', async (request) => {
    parseBody(Empty, request);
    return toInfo(await learners.terminals.open(labOf(request).machine));
  });
  app.post('/api/terminals/:id/close', async (request) => {
    parseBody(Empty, request);
    await learners.terminals.close(labOf(request).machine, params(request).id);
    return {};
  });
  app.get('/api/journal', (request, reply: FastifyReply) => {
    reply.header('content-disposition', 'attachment; filename="journal.ndjson"').type('application/x-ndjson');
    return reply.send(Readable.from(journalLines(labOf(request).journal)));
  });
}

/** Read in pieces, so that a large journal is never in memory twice. */
function* journalLines(journal: LabJournal): Generator<string> {
  const { lastSeq } = journal;
  for (let after = 0; after < lastSeq; ) {
    const events = journal.read(after, 500);
    after = events.at(-1)?.seq ?? lastSeq;
    yield events.map((event) => `${formatEvent(event)}\n`).join('');
  }
}

function describeSession(session: LearnerSession, { learners, observer, host }: RouteOptions): Session {
  const { id, name, lab } = learners.require(session.learner);
  return { learner: { id, name }, token: session.token, ...host, kernelTrace: { ...observer.trace }, machine: lab.status };
}

function learnerOf(request: FastifyRequest, learners: Learners): Learner {
  return learners.require(sessionOf(request).learner);
}

function params(request: FastifyRequest): z.output<typeof Params> {
  return Params.parse(request.params);
}

/** @throws EngineError `invalid-argument` / `E_BODY` with every issue */
function parseBody<T>(schema: z.ZodType<T>, request: FastifyRequest): T {
  const parsed = schema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: `/${path.join('/')}`, message }));
  throw new EngineError(
    'invalid-argument',
    `the body is not what this request takes: ${issues[0]?.path ?? ''} ${issues[0]?.message ?? ''}`,
    {
      code: 'E_BODY',
      op: 'request.parse',
      issues,
    },
  );
}
