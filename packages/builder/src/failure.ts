/**
 * What stops a build, with the line that asked for it.
 *
 * Knows: the sentences' form.
 * Does not know: what can go wrong.
 */
import { EngineError, findEngineError } from '@slipway/errors';

/** A step that cannot be done. `line` counts from 1. */
export function stepError(line: number, message: string, hint?: string): EngineError {
  return new EngineError('invalid-argument', `line ${line}: ${message}`, {
    code: 'E_BUILD_STEP',
    op: 'build.step',
    subject: String(line),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The same failure, with its line in front where the message does not name one yet. */
export function atLine(line: number, error: unknown): unknown {
  const known = findEngineError(error);
  if (known === undefined || known.code === 'E_DOCKERFILE' || /^line \d+: /.test(known.message)) return error;
  return new EngineError(known.kind, `line ${line}: ${known.message}`, {
    code: known.code,
    op: known.op,
    subject: String(line),
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    cause: error,
  });
}
