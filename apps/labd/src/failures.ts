/**
 * How a failure looks to the page.
 *
 * Knows: the table from kinds to HTTP status.
 * Does not know: who failed. Unknown errors say nothing of themselves; they are logged.
 */
import type { Failure } from '@slipway/contracts';
import { EngineError, type ErrorKind, findEngineError } from '@slipway/errors';

const STATUS = {
  'invalid-argument': 400,
  'permission-denied': 403,
  'not-found': 404,
  'already-exists': 409,
  'failed-precondition': 409,
  unsupported: 501,
  unavailable: 503,
  'data-loss': 500,
  internal: 500,
} as const satisfies Record<ErrorKind, number>;

/** Refusals of the door, which are about the request as such. */
const DOOR_STATUS: Readonly<Record<string, number>> = {
  E_HOST: 421,
  E_SESSION: 401,
  E_LOGIN_CODE: 401,
  E_CONTENT_TYPE: 415,
  E_BODY_TOO_LARGE: 413,
  E_TOO_MANY_REQUESTS: 429,
};

export function toFailure(error: unknown): { readonly status: number; readonly failure: Failure } {
  const known = findEngineError(error);
  if (known === undefined) return { status: 500, failure: { code: 'E_INTERNAL', message: 'the lab made a mistake; its log says more' } };
  const failure: Failure = { code: known.code, message: known.message };
  return {
    status: DOOR_STATUS[known.code] ?? STATUS[known.kind],
    failure: known.hint === undefined ? failure : { ...failure, hint: known.hint },
  };
}

/** What does not exist, and what is another learner's, answer alike. */
export function notFound(what: string, id: string): EngineError {
  return new EngineError('not-found', `there is no ${what} "${id.slice(0, 100)}"`, {
    code: 'E_NOT_FOUND',
    op: `${what}.find`,
    subject: id.slice(0, 100),
  });
}
