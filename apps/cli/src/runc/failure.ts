/**
 * Engine errors in runc's words.
 *
 * Knows: the exit codes, and the sentences that engines above look for in runc's log.
 * Does not know: what went wrong.
 */
import { type EngineError, findEngineError } from '@slipway/errors';
import { UsageError } from '../flags.ts';
import { UsageMistake } from './context.ts';
import type { Log } from './output.ts';

export interface Told {
  readonly message: string;
  readonly exitCode: number;
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
/** What `exec` exits with when it was not the program that failed. */
const EXEC_FAILED = 255;

/** Words that callers of runc compare, by code, by code and operation, or by those and the container's status. */
const RUNC_WORDS: Readonly<Record<string, string>> = {
  E_CONTAINER_UNKNOWN: 'container does not exist',
  E_CONTAINER_EXISTS: 'container with given ID already exists',
  'E_CONTAINER_STATE container.kill': 'container not running',
  'E_CONTAINER_STATE container.pause': 'container not running',
  'E_CONTAINER_STATE container.update': 'container not running',
  'E_CONTAINER_STATE container.resume': 'container not paused',
  'E_CONTAINER_STATE container.start running': 'cannot start an already running container',
  'E_CONTAINER_STATE container.start stopped': 'cannot start a container that has stopped',
  'E_CONTAINER_STATE container.exec paused': 'cannot exec in a paused container (use --ignore-paused to override)',
  'E_CONTAINER_STATE container.exec stopped': 'cannot exec in a stopped container',
};

/** Before a failure of these commands, as engines above cut it off again. */
const PREFIXES: Readonly<Record<string, string>> = { create: 'runc create failed: ', run: 'runc run failed: ', exec: 'exec failed: ' };

/** Says it in the log, and on stderr where that is another place. @returns the exit code */
export function fail(log: Log, error: unknown, name: string): number {
  const { message, exitCode } = error instanceof UsageError ? { message: error.message, exitCode: 1 } : tell(error, name);
  log.write('error', message);
  if (log.toFile) process.stderr.write(`${message}\n`);
  return exitCode;
}

/** @param command of the runc dialect, whose failure it was */
function tell(error: unknown, command: string): Told {
  const known = findEngineError(error);
  const prefix = PREFIXES[command] ?? '';
  const exitCode = exitCodeOf(error, known, command);
  if (known === undefined) return { message: prefix + (error instanceof Error ? error.message : String(error)), exitCode };
  const leftover = error instanceof AggregateError ? `; ${error.message}` : '';
  return { message: prefix + wordsOf(known) + leftover, exitCode };
}

function wordsOf(error: EngineError): string {
  const { code, op, cause, subject } = error;
  const fixed = RUNC_WORDS[code] ?? RUNC_WORDS[`${code} ${op}`] ?? RUNC_WORDS[`${code} ${op} ${String(cause)}`];
  if (fixed !== undefined) return fixed;
  if (code === 'E_CONTAINER_STATE' && op === 'container.delete') return `cannot delete container ${subject} that is not stopped: ${cause}`;
  if (code === 'E_COMMAND_NOT_FOUND') return `unable to start container process: ${error.message}: executable file not found in $PATH`;
  if (code === 'E_COMMAND_NOT_EXECUTABLE') return `unable to start container process: ${error.message}: permission denied`;
  if (error.issues.length > 1)
    return `config.json is invalid: ${error.issues.map(({ path, message }) => `${path || 'the document'} ${message}`).join('; ')}`;
  const at = subject?.startsWith('/') === true && !error.message.includes(subject) ? `${subject}: ` : '';
  return `${at}${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`;
}

function exitCodeOf(error: unknown, known: EngineError | undefined, command: string): number {
  if (error instanceof UsageMistake && error.exitCode !== undefined) return error.exitCode;
  if (known?.code === 'E_COMMAND_NOT_FOUND') return NOT_FOUND;
  if (known?.code === 'E_COMMAND_NOT_EXECUTABLE') return NOT_EXECUTABLE;
  return command === 'exec' && !(error instanceof UsageMistake) ? EXEC_FAILED : 1;
}
