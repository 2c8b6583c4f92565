/**
 * The `skopeo` dialect: images between registries, archives, layouts, directories and the engine's store.
 *
 * Knows: the flags before the command, and how failures are told.
 * Does not know: the commands.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngineError } from '@slipway/errors';
import { hostPlatform } from '@slipway/oci';
import { parseFlags } from '../flags.ts';
import { COMMANDS, type Out } from './commands.ts';
import type { Surroundings } from './transport.ts';

const GLOBAL_FLAGS = {
  help: { kind: 'switch', short: 'h' },
  version: { kind: 'switch', short: 'v' },
  debug: { kind: 'switch' },
  'insecure-policy': { kind: 'switch' },
  'override-arch': { kind: 'value' },
  'override-os': { kind: 'value' },
  'override-variant': { kind: 'value' },
  tmpdir: { kind: 'value' },
} as const;

interface Call {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** @returns the exit code */
export async function main({ args, environment }: Call): Promise<number> {
  const out: Out = (text) => void process.stdout.write(text);
  try {
    return await run(args, environment, out);
  } catch (error) {
    const known = findEngineError(error);
    const hint = known?.hint === undefined ? '' : ` (${known.hint})`;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`time=${JSON.stringify(new Date().toISOString())} level=fatal msg=${JSON.stringify(`${message}${hint}`)}\n`);
    return 1;
  }
}

async function run(args: readonly string[], environment: Call['environment'], out: Out): Promise<number> {
  const flags = parseFlags(args, GLOBAL_FLAGS, false);
  const [name = 'help', ...rest] = flags.words;
  if (flags.has('version')) return say(out, 'skopeo version 1.9.3 (slipway)\n');
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (flags.has('help') || name === 'help') return say(out, help());
  if (command === undefined) throw new Error(`unknown command "${name}" for "skopeo"`);
  if (rest.length === 0 || rest.includes('--help') || rest.includes('-h')) {
    return say(out, `${command.about}\n\nUsage:\nskopeo ${name} [command options] ${command.usage}\n`);
  }
  const host = hostPlatform(process.arch);
  const variant = flags.value('override-variant') ?? host.variant;
  const work = mkdtempSync(join(flags.value('tmpdir') ?? environment['TMPDIR'] ?? tmpdir(), 'skopeo-'));
  let count = 0;
  const surroundings: Surroundings = {
    environment,
    userAgent: 'skopeo/1.9.3 (slipway)',
    platform: {
      os: flags.value('override-os') ?? host.os,
      architecture: flags.value('override-arch') ?? host.architecture,
      ...(variant === undefined ? {} : { variant }),
    },
    temporary: () => join(work, String(count++)),
  };
  try {
    await command.run(rest, surroundings, out);
    return 0;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function say(out: Out, text: string): number {
  out(text);
  return 0;
}

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(12)} ${about}`);
  return [
    'Various operations with container images and container image registries',
    '',
    'Usage:',
    '  skopeo [flags] COMMAND',
    '',
    'Available Commands:',
    ...lines,
    '',
    'Flags:',
    ...Object.entries(GLOBAL_FLAGS).map(([name, { kind }]) => `  --${name}${kind === 'value' ? ' VALUE' : ''}`),
    '',
    'Transports: docker://, oci:, oci-archive:, dir:, docker-archive:, docker-daemon: and containers-storage: (the engine’s store).',
    'Signatures are neither checked nor copied; --insecure-policy says what holds anyway.',
    '',
  ].join('\n');
}
