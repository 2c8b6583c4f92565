/**
 * Failures in the words of the distribution spec.
 *
 * Knows: which code and status a failure gets.
 * Does not know: how it came about.
 *
 * @spec distribution-spec/spec.md#error-codes
 */
import { EngineError, type ErrorKind, findEngineError } from '@slipway/errors';
import { isDiskFull } from '@slipway/kernel';

/** A body of the spec's form, and the status that goes with it. */
export interface RegistryFailure {
  readonly status: number;
  readonly body: { readonly errors: readonly { readonly code: string; readonly message: string; readonly detail?: unknown }[] };
}

type Answer = readonly [status: number, code: string];

const BY_CODE: Readonly<Record<string, Answer>> = {
  E_BLOB_DIGEST: [400, 'DIGEST_INVALID'],
  E_BLOB_NOT_FOUND: [404, 'BLOB_UNKNOWN'],
  E_BLOB_SIZE: [413, 'SIZE_INVALID'],
  E_DIGEST_INVALID: [400, 'DIGEST_INVALID'],
  E_DOCUMENT_INVALID: [400, 'MANIFEST_INVALID'],
  E_MANIFEST_BLOB_UNKNOWN: [404, 'MANIFEST_BLOB_UNKNOWN'],
  E_MANIFEST_TOO_LARGE: [413, 'MANIFEST_INVALID'],
  E_MANIFEST_UNKNOWN: [404, 'MANIFEST_UNKNOWN'],
  E_REGISTRY_PAGE: [403, 'DENIED'],
  E_REGISTRY_LOGIN: [401, 'UNAUTHORIZED'],
  E_REGISTRY_METHOD: [405, 'UNSUPPORTED'],
  E_REGISTRY_RANGE: [416, 'BLOB_UNKNOWN'],
  E_REGISTRY_READ_ONLY: [405, 'UNSUPPORTED'],
  E_REGISTRY_REQUEST: [400, 'UNSUPPORTED'],
  E_REPOSITORY_FIXED: [403, 'DENIED'],
  E_REPOSITORY_NAME: [400, 'NAME_INVALID'],
  E_REPOSITORY_UNKNOWN: [404, 'NAME_UNKNOWN'],
  E_TAG_INVALID: [400, 'MANIFEST_INVALID'],
  E_UPLOADS_TOO_MANY: [429, 'TOOMANYREQUESTS'],
  E_LOGINS_TOO_MANY: [429, 'TOOMANYREQUESTS'],
  E_UPLOAD_BUSY: [409, 'BLOB_UPLOAD_INVALID'],
  E_UPLOAD_RANGE: [416, 'BLOB_UPLOAD_INVALID'],
  E_UPLOAD_UNKNOWN: [404, 'BLOB_UPLOAD_UNKNOWN'],
};

const BY_KIND: Readonly<Record<ErrorKind, Answer>> = {
  'invalid-argument': [400, 'UNSUPPORTED'],
  'not-found': [404, 'NAME_UNKNOWN'],
  'already-exists': [409, 'UNSUPPORTED'],
  'failed-precondition': [409, 'UNSUPPORTED'],
  'permission-denied': [403, 'DENIED'],
  unavailable: [503, 'TOOMANYREQUESTS'],
  'data-loss': [500, 'UNKNOWN'],
  unsupported: [405, 'UNSUPPORTED'],
  internal: [500, 'UNKNOWN'],
};

/** What only our log may say stays out of the body: the message of an error that is none of ours. */
export function toRegistryFailure(error: unknown): RegistryFailure {
  if (isDiskFull(error)) return failure([507, 'BLOB_UPLOAD_INVALID'], 'no space left for it');
  const known = findEngineError(error);
  if (known === undefined) return failure([500, 'UNKNOWN'], 'internal error');
  const answer = BY_CODE[known.code] ?? BY_KIND[known.kind];
  if (known.code === 'E_MANIFEST_BLOB_UNKNOWN') return missingParts(answer, known);
  const text = known.hint === undefined ? known.message : `${known.message}: ${known.hint}`;
  return failure(answer, text, known.issues.length > 0 ? known.issues : undefined);
}

/** The spec wants one entry for each blob that is missing, with its digest. */
function missingParts([status, code]: Answer, { issues }: EngineError): RegistryFailure {
  return { status, body: { errors: issues.map(({ path, message }) => ({ code, message, detail: { digest: path } })) } };
}

function failure([status, code]: Answer, message: string, detail?: unknown): RegistryFailure {
  return { status, body: { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] } };
}

/** For the routes' own refusals. */
export function refuse(kind: ErrorKind, code: `E_${string}`, message: string, subject = ''): EngineError {
  return new EngineError(kind, message, { code, op: 'registry.request', subject });
}
