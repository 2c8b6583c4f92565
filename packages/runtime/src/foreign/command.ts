/**
 * The command line of a foreign OCI runtime: runc's dialect, as runc, crun and runsc speak it.
 *
 * Knows: its words, and where it says what went wrong.
 * Does not know: any container.
 */
import { EngineError } from '@slipway/errors';
import { findText, runProgram } from '@slipway/kernel';

const LOG_MAX_BYTES = 256 * 1024;
const ENOENT = 2;
const EACCES = 13;

export class ForeignCommand {
  readonly name: string;
  readonly #program: string;
  readonly #root: string;

  /** @param root its own state directory */
  constructor(name: string, program: string, root: string) {
    this.name = name;
    this.#program = program;
    this.#root = root;
  }

  /** The whole command line; what goes wrong is written to `log`. */
  line(log: string, ...words: readonly string[]): readonly string[] {
    return [this.#program, '--root', this.#root, '--log', log, '--log-format', 'json', ...words];
  }

  /** Runs a verb to its end; its output. @throws `unavailable` / `E_FOREIGN_RUNTIME` with its own words */
  async call(verb: string, ...words: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runProgram({ program: this.#program, args: ['--root', this.#root, verb, ...words] });
    if (exitCode === 0) return stdout;
    throw this.failure(verb, lastError(stderr) ?? (stderr.trim() || `exit code ${exitCode}`));
  }

  /** Why a command line that was given `log` failed. */
  async whyFailed(verb: string, log: string): Promise<EngineError> {
    const text = await findText(log, { maxBytes: LOG_MAX_BYTES }).catch(() => undefined);
    return this.failure(verb, lastError(text ?? '') ?? 'it ended without a word');
  }

  /** Whether a command line that was given `log` wrote of an error there. */
  async hasFailed(log: string): Promise<boolean> {
    const text = await findText(log, { maxBytes: LOG_MAX_BYTES }).catch(() => undefined);
    return (text ?? '').split('\n').some((line) => jsonMessage(line) !== undefined);
  }

  /** What it said, with the errno behind it where that is about the program to run. */
  failure(verb: string, said: string): EngineError {
    const errno = /not found|no such file/i.test(said) ? ENOENT : /permission denied/i.test(said) ? EACCES : undefined;
    const isStart = verb === 'run' || verb === 'exec';
    return new EngineError(isNotRunning(said) ? 'failed-precondition' : 'unavailable', `${this.name} ${verb}: ${said.slice(0, 500)}`, {
      code: 'E_FOREIGN_RUNTIME',
      op: `container.${verb}`,
      subject: this.name,
      hint: 'this is what the runtime itself says; try the container with another one',
      ...(isStart && errno !== undefined ? { cause: { op: 'exec', errno } } : {}),
    });
  }
}

function isNotRunning(said: string): boolean {
  return /not running|no such process|does not exist|not paused|already (stopped|finished)/i.test(said);
}

/** The message of the last line about an error, in JSON or as text; undefined where there is none. */
export function lastError(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const told = lines.flatMap((line) => {
    const message = jsonMessage(line) ?? /level=(?:error|fatal) msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll('\\"', '"');
    return message === undefined ? [] : [message];
  });
  return told.at(-1) ?? lines.at(-1)?.trim();
}

function jsonMessage(line: string): string | undefined {
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown };
    return typeof msg === 'string' && level !== 'warning' && level !== 'info' && level !== 'debug' ? msg.trim() : undefined;
  } catch {
    return undefined;
  }
}
