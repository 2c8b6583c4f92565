/** `docker load`: an image archive into the engine. The archive is passed on unread; the engine judges it. */
import { createReadStream } from 'node:fs';
import { parseFlags, UsageError } from '../../flags.ts';
import { readText } from '../daemon.ts';
import type { Command } from './context.ts';

export const load: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, { input: { kind: 'value', short: 'i' }, quiet: { kind: 'switch', short: 'q' } });
  const file = flags.value('input');
  if (file === undefined && process.stdin.isTTY)
    throw new UsageError('requested load from stdin, but stdin is a terminal; name a file with -i');
  const response = await daemon.upload('/images/load', 'application/x-tar', file === undefined ? process.stdin : createReadStream(file));
  const text = await readText(response);
  for (const line of text.split('\n').filter((part) => part.trim() !== '')) {
    const { stream, error } = JSON.parse(line) as { stream?: string; error?: string };
    if (error !== undefined) throw new Error(error);
    if (stream !== undefined) out(stream);
  }
  return 0;
};
