/**
 * A worker's failure as the line it answers with.
 *
 * Knows: which failures say something to the caller, and what may not leave a worker.
 * Does not know: what the worker did.
 */
import { type ErrorKind, findEngineError } from '@slipway/errors';
import { isErrno } from '@slipway/kernel/worker';

export interface WorkerFailure {
  readonly ok: false;
  readonly kind: ErrorKind;
  readonly code: `E_${string}`;
  readonly message: string;
  readonly subject?: string;
}

export function describeFailure(error: unknown, what: string): WorkerFailure {
  const known = findEngineError(error);
  if (known !== undefined) {
    const { kind, code, message, subject } = known;
    return { ok: false, kind, code, message, ...(subject === undefined ? {} : { subject }) };
  }
  if (isErrno(error, 'ENOSPC', 'EDQUOT'))
    return { ok: false, kind: 'failed-precondition', code: 'E_DISK_FULL', message: 'no space left for the layer' };
  const text = error instanceof Error ? error.message : String(error);
  // The kernel's message names the step it refused, through /proc: worth keeping, without the prefix.
  return { ok: false, kind: 'internal', code: 'E_LAYER_APPLY', message: `${what}: ${text.replaceAll(/\/proc\/self\/fd\/\d+\//g, '')}` };
}
