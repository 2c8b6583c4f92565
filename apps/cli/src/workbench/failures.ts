/** Failures that the workbench itself finds, and how failures look to the page. */
import { EngineError, findEngineError } from '@slipway/errors';

/** The request is understood and cannot be done as things are. */
export function unusable(message: string, code: `E_WORKBENCH_${string}`, hint?: string): EngineError {
  return new EngineError('failed-precondition', message, { code, op: 'workbench.request', ...(hint === undefined ? {} : { hint }) });
}

export function toFailure(error: unknown): { readonly code: string; readonly message: string; readonly hint?: string } {
  const known = findEngineError(error);
  if (known === undefined) return { code: 'E_INTERNAL', message: error instanceof Error ? error.message : String(error) };
  const { code, message, hint } = known;
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
