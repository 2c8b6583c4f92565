/** `docker commit`, `export`, `import`, `save`, `diff`, `tag`: images and files as archives, and what is said about them. */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parseFlags, UsageError } from '../../flags.ts';
import { readText } from '../daemon.ts';
import type { Command, Context } from './context.ts';

export const commit: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, {
    author: { kind: 'value', short: 'a' },
    change: { kind: 'list', short: 'c' },
    message: { kind: 'value', short: 'm' },
    pause: { kind: 'value', short: 'p' },
  });
  const [container, name] = requireWords(flags.words, 1, 2, '"docker commit" requires a container, and takes a name');
  const query = new URLSearchParams({ container, ...nameQuery(name), pause: flags.value('pause') === 'false' ? '0' : '1' });
  if (flags.value('author') !== undefined) query.set('author', flags.value('author') ?? '');
  if (flags.value('message') !== undefined) query.set('comment', flags.value('message') ?? '');
  for (const change of flags.list('change')) query.append('changes', change);
  const { Id } = await daemon.call<{ Id: string }>('POST', `/commit?${query}`);
  out(`${Id}\n`);
  return 0;
};

export const diff: Command = async ({ args, daemon, out }) => {
  const [container] = requireWords(args, 1, 1, '"docker diff" requires exactly 1 argument: the container');
  const changes = await daemon.call<readonly { Path: string; Kind: number }[]>(
    'GET',
    `/containers/${encodeURIComponent(container)}/changes`,
  );
  out(changes.map(({ Path, Kind }) => `${'CAD'[Kind] ?? '?'} ${Path.replaceAll(/[\u0000-\u001f\u007f]/g, '\ufffd')}\n`).join(''));
  return 0;
};

export const tag: Command = async ({ args, daemon }) => {
  const [image, name] = requireWords(args, 2, 2, '"docker tag" requires exactly 2 arguments: an image and a name');
  await daemon.call('POST', `/images/${encodeURIComponent(image)}/tag?${new URLSearchParams(nameQuery(name))}`);
  return 0;
};

export const exportFiles: Command = async (context) => {
  const flags = parseFlags(context.args, { output: { kind: 'value', short: 'o' } });
  const [container] = requireWords(flags.words, 1, 1, '"docker export" requires exactly 1 argument: the container');
  return download(context, `/containers/${encodeURIComponent(container)}/export`, flags.value('output'));
};

export const save: Command = async (context) => {
  const flags = parseFlags(context.args, { output: { kind: 'value', short: 'o' } });
  if (flags.words.length === 0) throw new UsageError('"docker save" requires at least 1 argument: an image');
  const query = new URLSearchParams(flags.words.map((name) => ['names', name]));
  return download(context, `/images/get?${query}`, flags.value('output'));
};

export const importImage: Command = async ({ args, daemon, out }) => {
  const flags = parseFlags(args, { change: { kind: 'list', short: 'c' }, message: { kind: 'value', short: 'm' } });
  const [file, name] = requireWords(flags.words, 1, 2, '"docker import" requires a file, or - for stdin, and takes a name');
  const query = new URLSearchParams({ fromSrc: '-', ...nameQuery(name) });
  if (flags.value('message') !== undefined) query.set('message', flags.value('message') ?? '');
  for (const change of flags.list('change')) query.append('changes', change);
  const body = file === '-' ? process.stdin : createReadStream(file);
  const text = await readText(await daemon.upload(`/images/create?${query}`, 'application/x-tar', body));
  for (const line of text.split('\n').filter(Boolean)) {
    const { status, error } = JSON.parse(line) as { status?: string; error?: string };
    if (error !== undefined) throw new Error(error);
    if (status !== undefined) out(`${status}\n`);
  }
  return 0;
};

/** What an address answers, into a file or, without one, to stdout. */
export async function download({ daemon }: Context, path: string, file: string | undefined): Promise<number> {
  if (file === undefined && process.stdout.isTTY) throw new UsageError('cowardly refusing to save to a terminal: use -o or redirect');
  const response = await daemon.stream('GET', path);
  if (file === undefined) await pipeline(response, process.stdout, { end: false });
  else await pipeline(response, createWriteStream(file));
  return 0;
}

/** `repo:tag` as the API takes it; a colon before a slash belongs to a port. */
function nameQuery(name: string | undefined): Readonly<Record<string, string>> {
  if (name === undefined) return {};
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? { repo: name.slice(0, colon), tag: name.slice(colon + 1) } : { repo: name };
}

function requireWords(
  words: readonly string[],
  least: number,
  most: number,
  message: string,
): [string, string | undefined] & [string, string] {
  if (words.length < least || words.length > most) throw new UsageError(message);
  return words as unknown as [string, string];
}
