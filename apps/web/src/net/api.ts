/**
 * The page's side of HTTP with labd (packages/contracts/src/session.ts).
 *
 * Knows: paths, the token header, how a failure reads. Does not know: what the page does with the answers.
 */
import type {
  Failure,
  HintRequest,
  LessonListing,
  LessonView,
  MachineStatus,
  QuizVerdict,
  Session,
  TerminalInfo,
  TerminalListing,
} from '@slipway/contracts';
import type { LessonDocument } from '@slipway/lessons/types';

/** A request that labd answered with a {@link Failure}, or could not answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(status: number, failure: Failure) {
    super(failure.message);
    this.name = 'ApiError';
    this.status = status;
    this.code = failure.code;
    this.hint = failure.hint;
  }
}

export class Api {
  /** Of the session; empty before it is known. */
  token = '';

  login(code: string): Promise<Session> {
    return this.#remember(this.#post('/api/login', { code }));
  }

  session(): Promise<Session> {
    return this.#remember(this.#get('/api/session'));
  }

  /** The JSON schema of a config.json. */
  configSchema(): Promise<Readonly<Record<string, unknown>>> {
    return this.#get('/api/config-schema');
  }

  lessons(): Promise<LessonListing> {
    return this.#get('/api/lessons');
  }

  lesson(slug: string): Promise<LessonView<LessonDocument>> {
    return this.#get(`/api/lessons/${encodeURIComponent(slug)}`);
  }

  hint(slug: string, request: { readonly task: string; readonly grade: number }): Promise<{ text: string }> {
    return this.#post(`/api/lessons/${encodeURIComponent(slug)}/hint`, request satisfies (typeof HintRequest)['_output']);
  }

  solution(slug: string, task: string): Promise<{ lines: string[] }> {
    return this.#post(`/api/lessons/${encodeURIComponent(slug)}/solution`, { task });
  }

  quiz(slug: string, question: string, option: number): Promise<QuizVerdict> {
    return this.#post(`/api/lessons/${encodeURIComponent(slug)}/quiz`, { question, option });
  }

  resetLesson(slug: string): Promise<LessonView<LessonDocument>> {
    return this.#post(`/api/lessons/${encodeURIComponent(slug)}/reset`, {});
  }

  resetMachine(): Promise<MachineStatus> {
    return this.#post('/api/machine/reset', {});
  }

  terminals(): Promise<(typeof TerminalListing)['_output']> {
    return this.#get('/api/terminals');
  }

  openTerminal(): Promise<TerminalInfo> {
    return this.#post('/api/terminals', {});
  }

  closeTerminal(id: string): Promise<unknown> {
    return this.#post(`/api/terminals/${encodeURIComponent(id)}/close`, {});
  }

  async #remember(answer: Promise<Session>): Promise<Session> {
    const session = await answer;
    this.token = session.token;
    return session;
  }

  #get<T>(path: string): Promise<T> {
    return request(path, { headers: { accept: 'application/json' } });
  }

  #post<T>(path: string, body: unknown): Promise<T> {
    return request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'x-slipway': this.token },
      body: JSON.stringify(body),
    });
  }
}

async function request<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init }).catch((cause: unknown) => {
    throw new ApiError(0, { code: 'unreachable', message: 'the lab does not answer', hint: `is it still running? (${String(cause)})` });
  });
  if (response.ok) return (await response.json()) as T;
  throw new ApiError(response.status, await readFailure(response));
}

async function readFailure(response: Response): Promise<Failure> {
  const unclear: Failure = { code: 'unclear', message: `the lab answered ${response.status}` };
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null || !('message' in body) || typeof body.message !== 'string') return unclear;
  const failure: { code: string; message: string; hint?: string } = { code: 'unclear', message: body.message };
  if ('code' in body && typeof body.code === 'string') failure.code = body.code;
  if ('hint' in body && typeof body.hint === 'string') failure.hint = body.hint;
  return failure;
}
