/**
 * `docker build`: sends a context, and shows what the engine says.
 *
 * Knows: the flags, as the classic builder's query.
 * Does not know: contexts (build-context.ts), secrets (build-secrets.ts), outputs (build-output.ts).
 */
import { type FlagTable, type ParsedFlags, parseFlags, UsageError } from '../../flags.ts';
import { parseSize } from '../../units.ts';
import { readContext } from './build-context.ts';
import { type BuildOutput, imageIds, parseOutput, writeOutput } from './build-output.ts';
import { readSecrets } from './build-secrets.ts';
import type { Command, Context } from './context.ts';
import { configOf } from './transfer.ts';

const FLAGS = {
  'add-host': { kind: 'list' },
  'build-arg': { kind: 'list' },
  file: { kind: 'value', short: 'f' },
  'force-rm': { kind: 'switch' },
  label: { kind: 'list' },
  memory: { kind: 'value', short: 'm' },
  network: { kind: 'value' },
  'no-cache': { kind: 'switch' },
  output: { kind: 'value', short: 'o' },
  platform: { kind: 'value' },
  pull: { kind: 'switch' },
  quiet: { kind: 'switch', short: 'q' },
  rm: { kind: 'switch' },
  secret: { kind: 'list' },
  'shm-size': { kind: 'value' },
  squash: { kind: 'switch' },
  tag: { kind: 'list', short: 't' },
  target: { kind: 'value' },
} as const satisfies FlagTable;

export const build: Command = async (context) => {
  const flags = parseFlags(context.args, FLAGS);
  const [place, ...more] = flags.words;
  if (place === undefined || more.length > 0)
    throw new UsageError('"docker build" requires exactly 1 argument: a directory, or - for a tar or a Dockerfile on stdin');
  const output = flags.value('output') === undefined ? undefined : parseOutput(flags.value('output') ?? '');
  const before = output === undefined ? undefined : await imageIds(context);
  // What goes to stdout must stand there alone.
  const screen = output?.destination === '-' ? { ...context, out: context.err } : context;
  const built = await send(screen, place, flags);
  if (built === undefined) return 1;
  if (output !== undefined) await take(context, output, { ...built, isNew: before?.has(built.id) === false });
  return 0;
};

/** An image that is in the engine for its output's sake alone does not stay. */
async function take(
  context: Context,
  output: BuildOutput,
  { isNew, ...built }: { readonly id: string; readonly names: readonly string[]; readonly isNew: boolean },
): Promise<void> {
  try {
    await writeOutput(context, output, built);
  } finally {
    if (isNew && built.names.length === 0) await context.daemon.call('DELETE', `/images/${built.id}`);
  }
}

async function send(context: Context, place: string, flags: ParsedFlags): Promise<{ id: string; names: readonly string[] } | undefined> {
  const secrets = await readSecrets(flags.list('secret'), context.environment);
  const { dockerfile, tar } = await readContext(place, flags.value('file'), process.stdin);
  const names = flags.list('tag');
  const query = toQuery(flags, { dockerfile, secretBytes: secrets.byteLength, environment: context.environment });
  const body = async function* () {
    if (secrets.byteLength > 0) yield secrets;
    yield* tar;
  };
  const headers = { 'x-registry-config': await registryConfig(context) };
  const id = await show(context, await context.daemon.upload(`/build?${query}`, 'application/x-tar', body(), { headers }));
  return id === undefined ? undefined : { id, names };
}

interface QueryFacts {
  readonly dockerfile: string;
  readonly secretBytes: number;
  readonly environment: Context['environment'];
}

function toQuery(flags: ParsedFlags, { dockerfile, secretBytes, environment }: QueryFacts): URLSearchParams {
  const switches = { nocache: 'no-cache', pull: 'pull', q: 'quiet', squash: 'squash' };
  const values = { target: 'target', networkmode: 'network', platform: 'platform' };
  const sizes = { memory: 'memory', shmsize: 'shm-size' };
  const query = new URLSearchParams({
    dockerfile,
    buildargs: JSON.stringify(pairs(flags.list('build-arg'), environment)),
    labels: JSON.stringify(pairs(flags.list('label'), {})),
    ...(secretBytes === 0 ? {} : { secretbytes: String(secretBytes) }),
  });
  for (const [parameter, name] of Object.entries(switches)) if (flags.has(name)) query.set(parameter, '1');
  for (const [parameter, name] of Object.entries(values))
    if (flags.value(name) !== undefined) query.set(parameter, flags.value(name) ?? '');
  for (const [parameter, name] of Object.entries(sizes))
    if (flags.value(name) !== undefined) query.set(parameter, String(requireSize(name, flags.value(name) ?? '')));
  for (const host of flags.list('add-host')) query.append('extrahosts', host);
  for (const tag of flags.list('tag')) query.append('t', tag);
  return query;
}

function requireSize(flag: string, text: string): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new UsageError(`--${flag} ${JSON.stringify(text)} is not a size`);
  return bytes;
}

/** For base images; the engine shows each registry its own. */
async function registryConfig(context: Context): Promise<string> {
  const known = [...(await configOf(context).all())].map(
    ([server, { username, password, identityToken }]) => [server, { username, password, identitytoken: identityToken }] as const,
  );
  return Buffer.from(JSON.stringify(Object.fromEntries(known))).toString('base64url');
}

/** @returns the image's id; undefined when the engine said why not */
async function show({ out, err }: Context, answer: AsyncIterable<Buffer>): Promise<string | undefined> {
  let id: string | undefined;
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of answer) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.filter(Boolean)) {
      const { stream, error, aux } = JSON.parse(line) as { stream?: string; error?: string; aux?: { ID?: string } };
      if (stream !== undefined) out(stream);
      id = aux?.ID ?? id;
      if (error !== undefined) {
        err(`${error}\n`);
        return undefined;
      }
    }
  }
  return id;
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
