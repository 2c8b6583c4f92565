/**
 * Engine errors in runc's words.
 *
 * Knows: the exit codes, and the sentences that engines above look for in runc's log.
 * Does not know: where the sentence is printed.
 */
import { type EngineError, findEngineError } from '@slipway/errors';

export interface Told {
  readonly message: string;
  readonly exitCode: number;
}

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Words that callers of runc compare, by code and operation. */
const RUNC_WORDS: Readonly<Record<string, string>> = {
  E_CONTAINER_UNKNOWN: 'container does not exist',
  'E_CONTAINER_STATE container.kill': 'container not running',
};

export function tell(error: unknown): Told {
  const known = findEngineError(error);
  const leftover = error instanceof AggregateError ? `; ${error.message}` : '';
  if (known === undefined) return { message: error instanceof Error ? error.message : String(error), exitCode: 1 };
  return { message: wordsOf(known) + leftover, exitCode: exitCodeOf(known) };
}

function wordsOf(error: EngineError): string {
  const fixed = RUNC_WORDS[error.code] ?? RUNC_WORDS[`${error.code} ${error.op}`];
  if (fixed !== undefined) return fixed;
  if (error.code === 'E_COMMAND_NOT_FOUND') return `exec failed: ${error.message}: executable file not found in $PATH`;
  if (error.code === 'E_COMMAND_NOT_EXECUTABLE') return `exec failed: ${error.message}: permission denied`;
  if (error.issues.length > 1)
    return `config.json is invalid: ${error.issues.map(({ path, message }) => `${path || 'the document'} ${message}`).join('; ')}`;
  const at = error.subject?.startsWith('/') === true && !error.message.includes(error.subject) ? `${error.subject}: ` : '';
  return `${at}${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`;
}

function exitCodeOf({ code }: EngineError): number {
  if (code === 'E_COMMAND_NOT_FOUND') return NOT_FOUND;
  return code === 'E_COMMAND_NOT_EXECUTABLE' ? NOT_EXECUTABLE : 1;
}
