/** `docker build`: packs the context, sends it, and shows what the engine says. */
import { readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { parseDockerignore } from '@slipway/builder/patterns';
import { parseFlags, UsageError } from '../../flags.ts';
import { packFiles } from '../pack-files.ts';
import type { Command, Context } from './context.ts';

export const build: Command = async (context) => {
  const flags = parseFlags(context.args, {
    'build-arg': { kind: 'list' },
    file: { kind: 'value', short: 'f' },
    label: { kind: 'list' },
    network: { kind: 'value' },
    'no-cache': { kind: 'switch' },
    pull: { kind: 'switch' },
    quiet: { kind: 'switch', short: 'q' },
    rm: { kind: 'switch' },
    tag: { kind: 'list', short: 't' },
    target: { kind: 'value' },
  });
  const [place, ...more] = flags.words;
  if (place === undefined || more.length > 0)
    throw new UsageError('"docker build" requires exactly 1 argument: a directory, or - for a tar on stdin');
  const dockerfile = place === '-' ? (flags.value('file') ?? 'Dockerfile') : dockerfileIn(place, flags.value('file'));
  const query = new URLSearchParams({
    dockerfile,
    buildargs: JSON.stringify(pairs(flags.list('build-arg'), context.environment)),
    labels: JSON.stringify(pairs(flags.list('label'), {})),
    ...(flags.has('no-cache') ? { nocache: '1' } : {}),
    ...(flags.has('quiet') ? { q: '1' } : {}),
    ...(flags.value('target') === undefined ? {} : { target: flags.value('target') ?? '' }),
    ...(flags.value('network') === undefined ? {} : { networkmode: flags.value('network') ?? '' }),
  });
  for (const tag of flags.list('tag')) query.append('t', tag);
  const body = place === '-' ? process.stdin : packContext(place, dockerfile);
  return show(context, await context.daemon.upload(`/build?${query}`, 'application/x-tar', body));
};

async function show({ out, err }: Context, answer: AsyncIterable<Buffer>): Promise<number> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of answer) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter(Boolean)) {
      const { stream, error } = JSON.parse(line) as { stream?: string; error?: string };
      if (stream !== undefined) out(stream);
      if (error !== undefined) {
        err(`${error}\n`);
        return 1;
      }
    }
  }
  return 0;
}

/** Seen from the context, which it has to lie in. */
function dockerfileIn(directory: string, file: string | undefined): string {
  if (file === undefined) return 'Dockerfile';
  const inside = relative(resolve(directory), resolve(file));
  if (inside.startsWith('..')) throw new UsageError(`the Dockerfile (${file}) must be within the build context (${directory})`);
  return inside;
}

/** Without what .dockerignore leaves out, but with that file and the Dockerfile, which the engine reads. */
async function* packContext(directory: string, dockerfile: string): AsyncGenerator<Uint8Array> {
  const own = `${dockerfile}.dockerignore`;
  const text =
    (await readFile(`${directory}/${own}`, 'utf8').catch(missing)) ?? (await readFile(`${directory}/.dockerignore`, 'utf8').catch(missing));
  const isIgnored = text === undefined ? () => false : parseDockerignore(text);
  const needed = new Set([dockerfile, own, '.dockerignore']);
  yield* packFiles(directory, '.', { ignored: (path) => !needed.has(path) && isIgnored(path), follow: true });
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}

/** `A=1`; a name alone has its value from the environment. */
function pairs(entries: readonly string[], environment: Context['environment']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    entries.flatMap((entry) => {
      const at = entry.indexOf('=');
      const value = at < 0 ? environment[entry] : entry.slice(at + 1);
      return value === undefined ? [] : [[at < 0 ? entry : entry.slice(0, at), value]];
    }),
  );
}
