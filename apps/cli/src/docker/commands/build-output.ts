/**
 * `build --output`: what is made of the result beside, or in place of, an image in the engine.
 *
 *     -o DIR, type=local,dest=DIR     the files
 *     -o -, type=tar,dest=FILE        the files as a tar
 *     type=oci,dest=FILE              the image as an archive that is an OCI layout and, for type=docker, docker-archive at once
 *
 * Knows: how these are asked of the engine.
 * Does not know: builds.
 */
import { mkdir } from 'node:fs/promises';
import { UsageError } from '../../flags.ts';
import { download } from './archive.ts';
import type { Context } from './context.ts';
import { extract } from './cp.ts';

export interface BuildOutput {
  readonly type: 'local' | 'tar' | 'oci' | 'docker';
  /** `-`: stdout. */
  readonly destination: string;
}

const TYPES = ['local', 'tar', 'oci', 'docker'] as const;

/** @throws UsageError */
export function parseOutput(text: string): BuildOutput {
  if (!text.includes('=')) return { type: text === '-' ? 'tar' : 'local', destination: text };
  const fields = new Map(text.split(',').map((part) => [part.split('=', 1)[0] ?? '', part.slice(part.indexOf('=') + 1)] as const));
  const type = TYPES.find((each) => each === fields.get('type'));
  const unknown = [...fields.keys()].find((name) => name !== 'type' && name !== 'dest');
  if (type === undefined || unknown !== undefined)
    throw new UsageError(`write --output type=${TYPES.join('|')},dest=PATH, not ${text.slice(0, 200)}`);
  const destination = fields.get('dest') ?? '-';
  if (destination === '-' && type === 'local') throw new UsageError('--output type=local needs dest=DIRECTORY');
  return { type, destination };
}

/** Ids of the images that there are. */
export async function imageIds({ daemon }: Context): Promise<ReadonlySet<string>> {
  const images = await daemon.call<readonly { Id: string }[]>('GET', '/images/json');
  return new Set(images.map(({ Id }) => Id));
}

/** @param built the image's id, and the names that it was given */
export async function writeOutput(
  context: Context,
  { type, destination }: BuildOutput,
  built: { readonly id: string; readonly names: readonly string[] },
): Promise<void> {
  const file = destination === '-' ? undefined : destination;
  if (type === 'oci' || type === 'docker') {
    const names = built.names.length === 0 ? [built.id] : built.names;
    await download(context, `/images/get?${new URLSearchParams(names.map((name) => ['names', name]))}`, file);
    return;
  }
  // A container that never runs lends its files.
  const { Id } = await context.daemon.call<{ Id: string }>('POST', '/containers/create', { Image: built.id, Entrypoint: ['-'] });
  try {
    if (type === 'tar') await download(context, `/containers/${Id}/export`, file);
    else await unpack(context, Id, destination);
  } finally {
    await context.daemon.call('DELETE', `/containers/${Id}?force=1`);
  }
}

async function unpack({ daemon }: Context, container: string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await extract(await daemon.stream('GET', `/containers/${container}/export`), directory, { keepOwner: process.getuid?.() === 0 });
}
