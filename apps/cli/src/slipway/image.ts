/** `slipway image assemble`: files and directories as an image archive, the same bytes every time, with no Dockerfile and no engine. */
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type AssembledFiles, assembleImage } from '@slipway/builder';
import { hostPlatform } from '@slipway/oci';
import { parseFlags, UsageError } from '../flags.ts';
import type { Command } from './command.ts';

const USAGE = 'write: slipway image assemble -o FILE -t NAME --layer SOURCE:/DESTINATION[,SOURCE:/DESTINATION…] [--layer …]';

export const image: Command = async (args, out) => {
  const [verb, ...rest] = args;
  if (verb === 'convert') return (await import('./convert-lazily.ts')).convertLazily(rest, out);
  if (verb !== 'assemble') throw new UsageError(USAGE);
  const flags = parseFlags(rest, {
    arch: { kind: 'value' },
    cmd: { kind: 'value' },
    created: { kind: 'value' },
    entrypoint: { kind: 'value' },
    env: { kind: 'list', short: 'e' },
    label: { kind: 'list', short: 'l' },
    layer: { kind: 'list' },
    output: { kind: 'value', short: 'o' },
    tag: { kind: 'list', short: 't' },
    user: { kind: 'value', short: 'u' },
    workdir: { kind: 'value', short: 'w' },
  });
  const output = flags.value('output');
  if (output === undefined || flags.list('layer').length === 0 || flags.words.length > 0) throw new UsageError(USAGE);
  const arch = flags.value('arch');
  const directory = await mkdtemp(join(tmpdir(), 'slipway-assemble-'));
  try {
    const { id, archive } = await assembleImage({
      layers: flags.list('layer').map((text) => text.split(',').map(readPlace)),
      platform: arch === undefined ? hostPlatform(process.arch) : { os: 'linux', architecture: arch },
      names: flags.list('tag'),
      createdSeconds: readSeconds(flags.value('created') ?? '0'),
      config: {
        env: flags.list('env'),
        labels: Object.fromEntries(flags.list('label').map((text) => [text.split('=', 1)[0] ?? '', text.slice(text.indexOf('=') + 1)])),
        ...command('entrypoint', flags.value('entrypoint')),
        ...command('cmd', flags.value('cmd')),
        ...(flags.value('user') === undefined ? {} : { user: flags.value('user') ?? '' }),
        ...(flags.value('workdir') === undefined ? {} : { workingDir: flags.value('workdir') ?? '' }),
      },
      directory,
    });
    await pipeline(archive, createWriteStream(output));
    out(`${id}\n`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return 0;
};

function readPlace(text: string): AssembledFiles {
  const colon = text.lastIndexOf(':/');
  if (colon <= 0) throw new UsageError(`${JSON.stringify(text)} is not SOURCE:/DESTINATION`);
  return { source: resolve(text.slice(0, colon)), destination: text.slice(colon + 1) };
}

function readSeconds(text: string): number {
  if (!/^[0-9]{1,11}$/.test(text)) throw new UsageError(`--created takes seconds since 1970, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** A JSON list of words, or one word. */
function command(name: 'entrypoint' | 'cmd', text: string | undefined): { readonly [key: string]: readonly string[] } {
  if (text === undefined) return {};
  const list: unknown = text.startsWith('[') ? JSON.parse(text) : [text];
  if (!Array.isArray(list) || !list.every((word) => typeof word === 'string')) throw new UsageError(`--${name} is not a list of strings`);
  return { [name]: list };
}
