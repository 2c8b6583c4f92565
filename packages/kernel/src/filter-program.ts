/**
 * A program between two pipes, for bytes that strangers made: it runs as nobody, with no right that it could get back, and is given nothing else.
 *
 * Knows: setpriv (util-linux), and that a program which is not waited for must not stay.
 * Does not know: what the program does with the bytes.
 */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { programMissing } from './program.ts';

const NOBODY = 65_534;
const AS_NOBODY = [
  `--reuid=${NOBODY}`,
  `--regid=${NOBODY}`,
  '--clear-groups',
  '--inh-caps=-all',
  '--bounding-set=-all',
  '--no-new-privs',
  '--',
];
const MAX_STDERR = 1000;

/**
 * What the program makes of `input`, while it makes it. Who stops reading ends it.
 *
 * @throws Error in the program's words when it ends with anything but 0; EngineError `unsupported` / `E_PROGRAM_MISSING`; what `input` throws
 */
export async function* filterThrough(
  program: string,
  args: readonly string[],
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
  const child = spawn('setpriv', [...AS_NOBODY, program, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: environment, cwd: '/' });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR);
  });
  const ended = new Promise<Error | undefined>((resolve) => {
    child.once('error', (error) => resolve(programMissing(program, error)));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : failureOf(program, stderr.trim(), signal ?? code)));
  });
  const fed = pipeline(Readable.from(input), child.stdin).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const [failure, feeding] = await Promise.all([ended, fed]);
    // A program that has ended does not read on: that is said by how it ended.
    if (feeding !== undefined && feeding.code !== 'EPIPE' && feeding.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw feeding;
    if (failure !== undefined) throw failure;
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
    await Promise.all([ended, fed]);
  }
}

function failureOf(program: string, stderr: string, end: number | string | null): Error {
  const [first] = stderr.split('\n');
  const said = new Error(first || `${program} ended with ${end}`);
  return stderr.startsWith('setpriv:') ? programMissing(program, said) : said;
}
