/**
 * `slipway registry serve`: a registry by itself, until it is told to end.
 *
 * Knows: its flags.
 * Does not know: the protocol.
 */
import { readFileSync } from 'node:fs';
import { readHtpasswd, serveRegistry } from '@slipway/registry';
import { parseFlags, UsageError } from '../flags.ts';
import type { Command } from './command.ts';

const FLAGS = {
  root: { kind: 'value' },
  listen: { kind: 'value' },
  images: { kind: 'value' },
  htpasswd: { kind: 'value' },
  'read-only': { kind: 'switch' },
} as const;

const USAGE = 'usage: slipway registry serve --root DIR --listen HOST:PORT [--images LAYOUT] [--htpasswd FILE] [--read-only]';

export const registry: Command = async (args, out) => {
  const [verb, ...rest] = args;
  const flags = parseFlags(verb === 'serve' ? rest : [], FLAGS);
  const root = flags.value('root');
  const listen = flags.value('listen');
  if (verb !== 'serve' || root === undefined || listen === undefined || flags.words.length > 0) throw new UsageError(USAGE);
  const htpasswd = flags.value('htpasswd');
  const images = flags.value('images');
  const running = await serveRegistry({
    root,
    listen,
    ...(images === undefined ? {} : { images }),
    readOnly: flags.has('read-only'),
    ...(htpasswd === undefined ? {} : { checkPassword: await readHtpasswd(readFileSync(htpasswd, 'utf8')) }),
    onInternalError: (error) => process.stderr.write(`slipway registry: ${error instanceof Error ? error.stack : String(error)}\n`),
  });
  out(`serving ${root} on http://${running.address}\n`);
  if (running.isPublic && htpasswd === undefined) process.stderr.write('slipway registry: whoever reaches this address may push to it\n');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => resolve());
  });
  await running.close();
  return 0;
};
