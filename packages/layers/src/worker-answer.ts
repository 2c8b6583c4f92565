/**
 * A worker's answer, read with the care that strangers' bytes deserve: it has parsed some.
 *
 * Knows: how an answer, a failure and a missing answer look.
 * Does not know: what was asked.
 */
import { EngineError, isErrorKind } from '@slipway/errors';
import { isObject, type JsonObject } from '@slipway/oci';

/** The answer's fields. @throws EngineError as the worker says; `internal` / `code` when it ended without an answer */
export function readWorkerAnswer(
  answer: unknown,
  worker: { readonly end: string; readonly op: string; readonly code: `E_${string}` },
): JsonObject {
  if (isObject(answer) && answer['ok'] === true) return answer;
  if (isObject(answer) && answer['ok'] === false && typeof answer['code'] === 'string' && isErrorKind(answer['kind'])) {
    const { kind, code, message, subject } = answer;
    throw new EngineError(kind, String(message).slice(0, 2000), {
      code: /^E_[A-Z_]{1,60}$/.test(String(code)) ? (code as `E_${string}`) : worker.code,
      op: worker.op,
      ...(typeof subject === 'string' ? { subject } : {}),
    });
  }
  throw new EngineError('internal', `the worker ended without an answer (${worker.end.slice(0, 1000)})`, {
    code: worker.code,
    op: worker.op,
  });
}
