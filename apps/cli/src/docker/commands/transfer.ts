/**
 * `docker pull`, `push`, `login` and `logout`.
 *
 * Knows: where credentials are kept, and how the engine's messages become lines or bars.
 * Does not know: registries; the engine talks to them.
 */
import { createInterface } from 'node:readline/promises';
import { familiarReference, parseReference } from '@slipway/oci';
import { type Credentials, registryDomain } from '@slipway/registry-client/credentials';
import { DockerConfig } from '@slipway/registry-client/docker-config';
import { parseFlags, UsageError } from '../../flags.ts';
import { DaemonError } from '../daemon.ts';
import { TransferScreen } from '../transfer-screen.ts';
import type { Command, Context } from './context.ts';

export const pull: Command = async (context) => {
  const flags = parseFlags(context.args, {
    quiet: { kind: 'switch', short: 'q' },
    platform: { kind: 'value' },
    'all-tags': { kind: 'switch', short: 'a' },
    lazy: { kind: 'switch' },
  });
  const [name, more] = flags.words;
  if (name === undefined || more !== undefined) throw new UsageError('"docker pull" requires exactly 1 argument: the image');
  const reference = parseReference(name);
  const [allTags, isNamed] = [flags.has('all-tags'), reference.digest !== undefined || /:[^/]*$/.test(name)];
  if (allTags && isNamed) throw new UsageError("tag can't be used with --all-tags/-a");
  if (!isNamed && !allTags && !flags.has('quiet')) context.out('Using default tag: latest\n');
  const out = flags.has('quiet') ? () => undefined : context.out;
  await pullImage(context, name, { platform: flags.value('platform'), lazy: flags.has('lazy'), allTags, out });
  context.out(
    `${name.includes('/') && name.split('/')[0]?.match(/[.:]|^localhost$/) ? `${reference.domain}/${reference.path}` : `docker.io/${reference.path}`}${allTags ? '' : suffixOf(name)}\n`,
  );
  return 0;
};

function suffixOf(name: string): string {
  const { tag, digest } = parseReference(name);
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** @throws DaemonError with the engine's sentence */
export async function pullImage(
  context: Context,
  name: string,
  options: {
    readonly platform?: string | undefined;
    readonly lazy?: boolean;
    readonly allTags?: boolean;
    readonly out: (text: string) => void;
  },
): Promise<void> {
  const { domain, path, tag, digest } = parseReference(name);
  const query = new URLSearchParams({
    fromImage: familiarReference({ domain, path }),
    ...(options.allTags === true ? {} : { tag: digest ?? tag ?? 'latest' }),
    ...(options.platform === undefined ? {} : { platform: options.platform }),
    ...(options.lazy === true ? { lazy: '1' } : {}),
  });
  await transfer(context, { path: `/images/create?${query}`, domain, out: options.out });
}

export const push: Command = async (context) => {
  const flags = parseFlags(context.args, { quiet: { kind: 'switch', short: 'q' }, 'all-tags': { kind: 'switch', short: 'a' } });
  const [name, more] = flags.words;
  if (name === undefined || more !== undefined) throw new UsageError('"docker push" requires exactly 1 argument: the image');
  const { domain, path, tag } = parseReference(name);
  if (flags.has('all-tags') && /:[^/]*$/.test(name)) throw new UsageError("tag can't be used with --all-tags/-a");
  const query = flags.has('all-tags') ? '' : `?${new URLSearchParams({ tag: tag ?? 'latest' })}`;
  const about = `/images/${familiarReference({ domain, path })}/push${query}`;
  await transfer(context, { path: about, domain, out: flags.has('quiet') ? () => undefined : context.out });
  if (flags.has('quiet')) context.out(`${name}\n`);
  return 0;
};

async function transfer(
  context: Context,
  { path, domain, out }: { readonly path: string; readonly domain: string; readonly out: (text: string) => void },
): Promise<void> {
  const credentials = await configOf(context).find(domain);
  const headers = { 'x-registry-auth': Buffer.from(JSON.stringify(authConfig(credentials))).toString('base64url') };
  const response = await context.daemon.stream('POST', path, undefined, headers);
  const screen = new TransferScreen(out, process.stdout.isTTY && out === context.out);
  let rest = '';
  for await (const chunk of response) {
    rest += String(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) screen.show(line);
  }
}

export const login: Command = async (context) => {
  const flags = parseFlags(context.args, {
    username: { kind: 'value', short: 'u' },
    password: { kind: 'value', short: 'p' },
    'password-stdin': { kind: 'switch' },
  });
  const domain = registryDomain(flags.words[0] ?? 'docker.io');
  const config = configOf(context);
  const username = flags.value('username') ?? (await ask('Username: '));
  const password = flags.has('password-stdin')
    ? (await readStdin()).replace(/\r?\n$/, '')
    : (flags.value('password') ?? (await askSecret()));
  if (flags.value('password') !== undefined) context.err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n');
  const credentials: Credentials = { username, password, server: domain === 'docker.io' ? 'https://index.docker.io/v1/' : domain };
  const { Status } = await context.daemon.call<{ Status: string }>('POST', '/auth', authConfig(credentials));
  const where = await config.store(domain, credentials);
  if (where.endsWith('config.json')) {
    context.err(`WARNING! Your password will be stored unencrypted in ${where}.\n`);
  }
  context.out(`${Status}\n`);
  return 0;
};

export const logout: Command = async (context) => {
  const flags = parseFlags(context.args, {});
  const domain = registryDomain(flags.words[0] ?? 'docker.io');
  const known = await configOf(context).erase(domain);
  context.out(known ? `Removing login credentials for ${domain}\n` : `Not logged in to ${domain}\n`);
  return 0;
};

/** Where docker's clients keep credentials. */
export function configOf({ environment }: Context): DockerConfig {
  const { DOCKER_CONFIG, HOME = '/root', PATH } = environment;
  return new DockerConfig({ directory: DOCKER_CONFIG ?? `${HOME}/.docker`, env: { HOME, ...(PATH === undefined ? {} : { PATH }) } });
}

function authConfig(credentials: Credentials | undefined): object {
  if (credentials === undefined) return {};
  const { username, password, identityToken, server } = credentials;
  return { username, password, identitytoken: identityToken, serveraddress: server };
}

async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError('cannot ask for a name without a terminal: use --username and --password-stdin');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

/** Without an echo. */
async function askSecret(): Promise<string> {
  if (!process.stdin.isTTY) throw new UsageError('cannot ask for a password without a terminal: use --password-stdin');
  process.stdout.write('Password: ');
  process.stdin.setRawMode(true);
  let secret = '';
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      for (const character of chunk.toString('utf8')) {
        if (character === '\r' || character === '\n') return secret;
        if (character === '\u0003') throw new DaemonError(0, 'interrupted');
        secret = character === '\u007f' ? secret.slice(0, -1) : secret + character;
      }
    }
    return secret;
  } finally {
    process.stdin.setRawMode(false);
    process.stdout.write('\n');
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
