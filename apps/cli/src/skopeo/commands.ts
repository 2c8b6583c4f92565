/**
 * The commands, each from its flags to what it prints.
 *
 * Knows: what belongs to which.
 * Does not know: how images are read, written or described.
 */
import { writeFileSync } from 'node:fs';
import { formatReference, parseReference } from '@slipway/oci';
import { type FlagTable, type ParsedFlags, parseFlags, UsageError } from '../flags.ts';
import { copyImage } from './copy.ts';
import { ONE_SIDE, readFormat, readSide, TWO_SIDES } from './flags.ts';
import { type ImageName, parseImageName } from './image-name.ts';
import { inspectImage } from './inspect.ts';
import { openDestination, openSource } from './places.ts';
import { planSync, type SyncStep } from './sync.ts';
import type { DestinationOptions, SideOptions, Surroundings } from './transport.ts';

export type Out = (text: string | Uint8Array) => void;
type Command = (args: readonly string[], surroundings: Surroundings, out: Out) => Promise<void>;

export const COMMANDS: Readonly<Record<string, { readonly usage: string; readonly about: string; readonly run: Command }>> = {
  copy: { usage: 'SOURCE-IMAGE DESTINATION-IMAGE', about: 'Copy an IMAGE-NAME from one location to another', run: copy },
  delete: { usage: 'IMAGE-NAME', about: 'Delete image IMAGE-NAME', run: remove },
  inspect: { usage: 'IMAGE-NAME', about: 'Inspect image IMAGE-NAME', run: inspect },
  'list-tags': { usage: 'SOURCE-IMAGE', about: 'List tags in the transport/repository specified by the SOURCE-IMAGE', run: listTags },
  sync: {
    usage: '--src TRANSPORT --dest TRANSPORT SOURCE DESTINATION',
    about: 'Synchronize one or more images from one location to another',
    run: sync,
  },
};

const COPY_FLAGS: FlagTable = {
  ...TWO_SIDES,
  quiet: { kind: 'switch', short: 'q' },
  'multi-arch': { kind: 'value' },
  digestfile: { kind: 'value' },
  'additional-tag': { kind: 'list' },
  'dest-compress': { kind: 'switch' },
  'dest-compress-format': { kind: 'value' },
  'dest-decompress': { kind: 'switch' },
  'dest-oci-accept-uncompressed-layers': { kind: 'switch' },
};

async function copy(args: readonly string[], surroundings: Surroundings, out: Out): Promise<void> {
  const flags = parseFlags(args, COPY_FLAGS);
  const [source, destination] = words(flags, 2);
  const multi = flags.value('multi-arch');
  if (multi !== undefined && multi !== 'all' && multi !== 'system')
    throw new UsageError(`unknown multi-arch option "${multi}". Choose one of the supported options: 'system' or 'all'`);
  const step = { source: parseName('source', source), destination: parseName('destination', destination) };
  const digest = await copyOne(step, flags, surroundings, flags.has('quiet') ? () => undefined : out);
  const file = flags.value('digestfile');
  if (file !== undefined) writeFileSync(file, digest);
}

/** With the flags that copy and sync have in common. */
async function copyOne(
  { source: from, destination: to }: SyncStep,
  flags: ParsedFlags,
  surroundings: Surroundings,
  out: Out,
): Promise<string> {
  const source = await openSource(from, readSide(flags, 'src-'), surroundings);
  try {
    const destination = await openDestination(to, readDestination(flags), surroundings);
    try {
      const options = {
        all: flags.has('all') || flags.value('multi-arch') === 'all',
        preserveDigests: flags.has('preserve-digests'),
        ...readFormat(flags),
        say: (line: string) => out(`${line}\n`),
      };
      return await copyImage(source, destination, options, surroundings);
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}

function readDestination(flags: ParsedFlags): DestinationOptions {
  const packing = flags.value('dest-compress-format') ?? 'gzip';
  if (packing !== 'gzip' && packing !== 'zstd') throw new UsageError(`unknown compression "${packing}": gzip or zstd`);
  if (flags.has('dest-compress') && flags.has('dest-decompress'))
    throw new UsageError('--dest-compress and --dest-decompress cannot be used together');
  return {
    ...readSide(flags, 'dest-'),
    packing,
    directoryLayers: flags.has('dest-decompress') ? 'plain' : flags.has('dest-compress') ? packing : 'as-they-are',
    acceptPlain: flags.has('dest-oci-accept-uncompressed-layers'),
    moreNames: flags.list('additional-tag').map((name) => formatReference(parseReference(name))),
  };
}

async function inspect(args: readonly string[], surroundings: Surroundings, out: Out): Promise<void> {
  const flags = parseFlags(args, {
    ...ONE_SIDE,
    raw: { kind: 'switch' },
    config: { kind: 'switch' },
    'no-tags': { kind: 'switch', short: 'n' },
    format: { kind: 'value', short: 'f' },
  });
  const source = await openSource(parseName('image', words(flags, 1)[0]), readSide(flags, ''), surroundings);
  const format = flags.value('format');
  const options = {
    raw: flags.has('raw'),
    config: flags.has('config'),
    tags: !flags.has('no-tags'),
    ...(format === undefined ? {} : { format }),
  };
  out(await inspectImage(source, options, surroundings).finally(() => source.close()));
}

async function remove(args: readonly string[], surroundings: Surroundings): Promise<void> {
  const flags = parseFlags(args, ONE_SIDE);
  const name = parseName('image', words(flags, 1)[0]);
  const side = readSide(flags, '');
  switch (name.transport) {
    case 'docker':
      return await (await import('./registry-place.ts')).deleteFromRegistry(name.reference, side, surroundings);
    case 'oci':
      return (await import('./layout.ts')).deleteFromLayout(name.path, name.image);
    case 'docker-daemon':
      return await (await import('./daemon-store.ts')).deleteFromDaemon(name.name, side, surroundings);
    default:
      throw new UsageError(`Deleting images not implemented for ${name.transport}: images`);
  }
}

async function listTags(args: readonly string[], surroundings: Surroundings, out: Out): Promise<void> {
  const flags = parseFlags(args, ONE_SIDE);
  const name = parseName('image', words(flags, 1)[0]);
  if (name.transport === 'docker-archive') {
    const tags = await (await import('./docker-archive.ts')).listDockerArchive(name.path, surroundings.temporary());
    return out(`${JSON.stringify({ Tags: tags }, null, 4)}\n`);
  }
  if (name.transport !== 'docker')
    throw new UsageError(`Unsupported transport '${name.transport}' for tag listing. Only supported: docker, docker-archive`);
  const { domain, path } = name.reference;
  out(
    `${JSON.stringify({ Repository: `${domain}/${path}`, Tags: await tagsOf(name.reference, readSide(flags, ''), surroundings) }, null, 4)}\n`,
  );
}

async function sync(args: readonly string[], surroundings: Surroundings, out: Out): Promise<void> {
  const flags = parseFlags(args, {
    ...TWO_SIDES,
    src: { kind: 'value', short: 's' },
    dest: { kind: 'value', short: 'd' },
    scoped: { kind: 'switch' },
    'dry-run': { kind: 'switch' },
    'keep-going': { kind: 'switch' },
  });
  const [source = '', destination = ''] = words(flags, 2);
  const [from, to] = [flags.value('src'), flags.value('dest')];
  if (from !== 'docker' && from !== 'dir' && from !== 'yaml')
    throw new UsageError(`"${from ?? ''}" is not a valid source transport: docker, dir or yaml`);
  if (to !== 'docker' && to !== 'dir') throw new UsageError(`"${to ?? ''}" is not a valid destination transport: docker or dir`);
  const plan = { from, to, source, destination, scoped: flags.has('scoped') } as const;
  const steps = await planSync(plan, (repository) => tagsOf(repository, readSide(flags, 'src-'), surroundings));
  let failed = 0;
  for (const step of steps) {
    const { source: one, destination: other } = step;
    out(`Copying image from ${describe(one)} to ${describe(other)}\n`);
    if (flags.has('dry-run')) continue;
    await copyOne(step, flags, surroundings, () => undefined).catch((error: unknown) => {
      if (!flags.has('keep-going')) throw error;
      failed++;
      out(`Error copying ${describe(one)}: ${error instanceof Error ? error.message : String(error)}\n`);
    });
  }
  if (failed > 0) throw new UsageError(`Sync failed for ${failed} of ${steps.length} images`);
}

async function tagsOf(
  reference: Parameters<typeof formatReference>[0],
  side: SideOptions,
  surroundings: Surroundings,
): Promise<readonly string[]> {
  const { openRegistrySource } = await import('./registry-place.ts');
  const source = openRegistrySource(reference, side, surroundings);
  return (await source.tags().finally(() => source.close())) ?? [];
}

function describe(name: ImageName): string {
  if (name.transport === 'docker') return `docker://${formatReference(name.reference)}`;
  return 'path' in name ? `${name.transport}:${name.path}` : `${name.transport}:${name.name}`;
}

function parseName(what: 'source' | 'destination' | 'image', text = ''): ImageName {
  try {
    return parseImageName(text);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`Invalid ${what} name ${text}: ${error.message}`);
    throw error;
  }
}

function words(flags: ParsedFlags, count: 1 | 2): readonly string[] {
  if (flags.words.length === count) return flags.words;
  throw new UsageError(count === 1 ? 'Exactly one argument expected' : 'Exactly two arguments expected');
}
