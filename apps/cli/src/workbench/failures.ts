/** Failures that the workbench itself finds. */
import { EngineError } from '@slipway/errors';

/** The request is understood and cannot be done as things are. */
export function unusable(message: string, code: `E_WORKBENCH_${string}`, hint?: string): EngineError {
  return new EngineError('failed-precondition', message, { code, op: 'workbench.request', ...(hint === undefined ? {} : { hint }) });
}
