/**
 * The `slipway` dialect: what no other tool's dialect has a word for.
 *
 * Knows: its commands.
 * Does not know: how they work; each is loaded when it is called.
 */
import { findEngineError } from '@slipway/errors';
import { UsageError } from '../flags.ts';
import { VERSION } from '../version.ts';
import type { Call, Command } from './command.ts';

const COMMANDS: Readonly<Record<string, { readonly about: string; load(): Promise<Command> }>> = {
  doctor: { about: 'what this host has and lacks, and what to do about it', load: async () => (await import('./doctor.ts')).doctor },
  image: {
    about: 'image assemble: files and directories as an image, without a Dockerfile; image convert --lazy: one that need not be waited for',
    load: async () => (await import('./image.ts')).image,
  },
  build: {
    about: 'build: as docker build, which cannot send secrets to an engine’s classic builder, with --secret and --output',
    load: async () => (await import('./build.ts')).build,
  },
  plan: {
    about: 'what the runtime would do for a bundle, step by step, without doing it',
    load: async () => (await import('./plan.ts')).planBundle,
  },
  workbench: {
    about: 'answers a page about config.json documents and births, in lines of JSON',
    load: async () => (await import('./workbench.ts')).workbench,
  },
  registry: {
    about: 'serves a registry of images: registry serve --root DIR --listen HOST:PORT',
    load: async () => (await import('./registry.ts')).registry,
  },
  store: {
    about: 'store check: an engine’s image store held against what has to be true of it',
    load: async () => (await import('./store.ts')).store,
  },
  check: { about: 'everything wrong with a config.json, by path', load: async () => (await import('./plan.ts')).checkSpec },
  schema: { about: 'the JSON schema of a config.json, for editors', load: async () => (await import('./schema.ts')).printSchema },
};

/** Words that ask for help. */
const HELP: ReadonlySet<string> = new Set(['help', '--help', '-h']);

/** @returns the exit code */
export async function main(call: Call): Promise<number> {
  const { args } = call;
  const [name = 'help', ...rest] = args;
  if (HELP.has(name)) return say(help());
  if (name === '--version' || name === 'version') return say(`slipway ${VERSION}\n`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(`slipway: unknown command ${JSON.stringify(name)}; see slipway help\n`);
    return 1;
  }
  if (name !== 'build' && HELP.has(rest[0] ?? '')) return say(`slipway ${name}: ${command.about}\n`);
  try {
    return await (await command.load())(rest, (text) => void process.stdout.write(text), call);
  } catch (error) {
    process.stderr.write(`slipway ${name}: ${explain(error)}\n`);
    return 1;
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function explain(error: unknown): string {
  const known = findEngineError(error);
  if (known === undefined)
    return error instanceof Error ? `${error.message}${error instanceof UsageError ? '; see slipway help' : ''}` : String(error);
  if (known.issues.length > 0)
    return `config.json is invalid\n${known.issues.map(({ path, message }) => `  ${path || '/'}: ${message}`).join('\n')}`;
  return `${known.message}${known.hint === undefined ? '' : ` (${known.hint})`} [${known.code}]`;
}

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`);
  return `Usage: slipway COMMAND\n\n${lines.join('\n')}\n\nThe engine's other dialects: docker, runc, skopeo, buildah.\n`;
}
