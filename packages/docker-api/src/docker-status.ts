/**
 * Every failure kind as Docker's API shows it: a status and `{message}`.
 *
 * Knows: one table, exhaustive by type.
 * Does not know: where the failure came from.
 */
import { EngineError, type ErrorKind, findEngineError } from '@slipway/errors';
import { isDiskFull } from '@slipway/kernel';

const STATUS: Readonly<Record<ErrorKind, number>> = {
  'invalid-argument': 400,
  'not-found': 404,
  'already-exists': 409,
  'failed-precondition': 409,
  'permission-denied': 403,
  unavailable: 503,
  'data-loss': 500,
  unsupported: 501,
  internal: 500,
};

export interface DockerError {
  readonly status: number;
  readonly body: { readonly message: string };
}

const DISK_FULL = 'no space left on the engine’s disk (remove containers or images that are not needed, then try again)';

/** The answer for a failure. What is no EngineError is a bug here, and says nothing about the host beyond that. */
export function toDockerError(error: unknown): DockerError {
  const known = findEngineError(error);
  if (known !== undefined) return { status: STATUS[known.kind], body: { message: describe(known) } };
  if (isDiskFull(rootCause(error))) return { status: 500, body: { message: DISK_FULL } };
  const status = httpStatusOf(error);
  if (status !== undefined && error instanceof Error) return { status, body: { message: error.message } };
  return { status: 500, body: { message: 'internal error: see the log of slipwayd' } };
}

function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootCause(error.cause) : error;
}

function describe(error: EngineError): string {
  const issues = error.issues.length > 1 ? `: ${error.issues.map(({ path, message }) => `${path} ${message}`).join('; ')}` : '';
  return `${error.message}${issues}${error.hint === undefined ? '' : ` (${error.hint})`}`;
}

/** Fastify's own refusals (body too large, bad JSON) carry their status. */
function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

/** A request that can never work. */
export function badRequest(message: string, hint?: string): EngineError {
  return new EngineError('invalid-argument', message, {
    code: 'E_API_REQUEST',
    op: 'docker-api.parse',
    ...(hint === undefined ? {} : { hint }),
  });
}

/** What a request names is not here. */
export function notFound(message: string): Error {
  return Object.assign(new Error(message), { statusCode: 404 });
}

/** Something Docker has and this engine does not. */
export function notSupported(what: string, hint?: string): EngineError {
  return new EngineError('unsupported', what, {
    code: 'E_API_UNSUPPORTED',
    op: 'docker-api.parse',
    ...(hint === undefined ? {} : { hint }),
  });
}
