/** `docker inspect`, `top`, `version`, `info`: what the engine knows of one thing, or of itself. */

import { parseFlags, UsageError } from '../../flags.ts';
import { DaemonError } from '../daemon.ts';
import { table } from '../print.ts';
import { renderTemplate } from '../template.ts';
import type { Command, Context } from './context.ts';

export const inspect: Command = async (context) => {
  const flags = parseFlags(context.args, {
    format: { kind: 'value', short: 'f' },
    type: { kind: 'value' },
    size: { kind: 'switch', short: 's' },
  });
  if (flags.words.length === 0) throw new UsageError('"docker inspect" requires at least 1 argument');
  const type = flags.value('type');
  const found: unknown[] = [];
  let code = 0;
  for (const name of flags.words) {
    const document = await findDocument(context, name, type);
    if (document !== undefined) found.push(document);
    else {
      context.err(`Error: No such ${type ?? 'object'}: ${name}\n`);
      code = 1;
    }
  }
  const format = flags.value('format');
  if (format === undefined) context.out(`${JSON.stringify(found, undefined, 4)}\n`);
  else
    context.out(found.map((document) => `${format === 'json' ? JSON.stringify(document) : renderTemplate(format, document)}\n`).join(''));
  return code;
};

/** Containers first, then images, as docker looks. */
async function findDocument({ daemon }: Context, name: string, type: string | undefined): Promise<unknown> {
  for (const kind of type === undefined ? ['container', 'image'] : [type]) {
    try {
      return await daemon.call('GET', `/${kind}s/${encodeURIComponent(name)}/json`);
    } catch (error) {
      if (!(error instanceof DaemonError) || error.status !== 404) throw error;
    }
  }
  return undefined;
}

export const top: Command = async ({ args, daemon, out }) => {
  const [name, ...options] = parseFlags(args, {}, false).words;
  if (name === undefined) throw new UsageError('"docker top" requires at least 1 argument: the container');
  const query = options.length > 0 ? `?ps_args=${encodeURIComponent(options.join(' '))}` : '';
  const answer = await daemon.call<{ Titles: readonly string[]; Processes: readonly (readonly string[])[] }>(
    'GET',
    `/containers/${encodeURIComponent(name)}/top${query}`,
  );
  out(table(answer.Titles, answer.Processes));
  return 0;
};

export const version: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, { format: { kind: 'value', short: 'f' } });
  const server = await daemon.call<Readonly<Record<string, unknown>>>('GET', '/version');
  const format = flags.value('format');
  if (format !== undefined) out(`${renderTemplate(format, { Server: server, Client: { Version: server['Version'] } })}\n`);
  else {
    const lines = ['Version', 'ApiVersion', 'MinAPIVersion', 'Os', 'Arch', 'KernelVersion'].map(
      (key) => ` ${`${key}:`.padEnd(18)}${String(server[key] ?? '')}`,
    );
    out(`Server: Slipway Engine\n${lines.join('\n')}\n`);
  }
  return 0;
};

export const info: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, { format: { kind: 'value', short: 'f' } });
  const document = await daemon.call<Readonly<Record<string, unknown>>>('GET', '/info');
  const format = flags.value('format');
  if (format !== undefined) out(`${format === 'json' ? JSON.stringify(document) : renderTemplate(format, document)}\n`);
  else {
    for (const [key, value] of Object.entries(document)) {
      if (typeof value !== 'object') out(` ${key}: ${String(value)}\n`);
    }
  }
  return 0;
};
