/**
 * What is wrong with a Dockerfile, by line.
 *
 * Knows: the sentence's form.
 * Does not know: what can be wrong.
 */
import { EngineError } from '@slipway/errors';

/** `line` counts from 1. */
export function dockerfileError(line: number, message: string, hint?: string): EngineError {
  return new EngineError('invalid-argument', `dockerfile parse error on line ${line}: ${message}`, {
    code: 'E_DOCKERFILE',
    op: 'dockerfile.parse',
    subject: String(line),
    ...(hint === undefined ? {} : { hint }),
  });
}
