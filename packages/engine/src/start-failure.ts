/**
 * Why a process could not be started, in the words and numbers people know from a shell: 127 not found, 126 not executable.
 *
 * Knows: which launcher failures are about the command itself.
 * Does not know: where the failure is shown.
 */
import { EngineError } from '@slipway/errors';

const ENOENT = 2;
const EACCES = 13;
const EISDIR = 21;
const ENOEXEC = 8;

/** A failed start, with the exit code it counts as: 127, 126, or 128 for everything that is not about the command. */
export interface StartFailure {
  readonly error: unknown;
  readonly exitCode: number;
}

export function explainStartFailure(failure: unknown, args: readonly string[]): StartFailure {
  const launch = findLaunchFailure(failure);
  if (launch === undefined || (launch.op !== 'findExecutable' && launch.op !== 'exec')) return { error: failure, exitCode: 128 };
  const name = args[0] ?? '';
  const quoted = JSON.stringify(name);
  switch (launch.errno) {
    case ENOENT:
      return { exitCode: 127, error: commandError(`exec: ${quoted}: ${notFound(name)}`, name, failure) };
    case EACCES:
    case EISDIR:
      return { exitCode: 126, error: commandError(`exec: ${quoted}: permission denied`, name, failure) };
    case ENOEXEC:
      return { exitCode: 126, error: commandError(`exec ${quoted}: exec format error: permission denied`, name, failure) };
    default:
      return { error: failure, exitCode: 126 };
  }
}

function notFound(name: string): string {
  return name.includes('/') ? `stat ${name}: no such file or directory` : 'executable file not found in $PATH';
}

function commandError(message: string, subject: string, cause: unknown): EngineError {
  return new EngineError('invalid-argument', `unable to start container process: ${message}`, {
    code: 'E_COMMAND',
    op: 'container.start',
    subject,
    cause,
    hint: 'check the command, and that the image holds it',
  });
}

/** The launcher's own record of what failed, wherever in the chain of causes it stands. */
function findLaunchFailure(error: unknown): { readonly op: string; readonly errno: number } | undefined {
  for (let cause: unknown = error, depth = 0; typeof cause === 'object' && cause !== null && depth < 10; depth++) {
    if ('op' in cause && 'errno' in cause && typeof cause.op === 'string' && typeof cause.errno === 'number') {
      return { op: cause.op, errno: cause.errno };
    }
    cause = 'cause' in cause ? cause.cause : undefined;
  }
  return undefined;
}
