/**
 * `buildah pull`, `push` and `tag`, and images brought from wherever a name says they are.
 *
 * Knows: that a name without a transport is one of the engine's store, or of a registry.
 * Does not know: places of images (src/skopeo).
 */
import { basename } from 'node:path';
import { isTag, parseReference } from '@slipway/oci';
import type { Command, Context } from '../docker/commands/context.ts';
import { pullImage } from '../docker/commands/transfer.ts';
import { type ParsedFlags, parseFlags, UsageError } from '../flags.ts';
import { copyImage } from '../skopeo/copy.ts';
import { type ImageName, parseImageName } from '../skopeo/image-name.ts';
import { openDestination, openSource } from '../skopeo/places.ts';
import { REGISTRY_FLAGS, readDestination, readSide, withSurroundings } from './registry-flags.ts';
import { orMissing } from './working-container.ts';

interface Bring {
  readonly flags: ParsedFlags;
  readonly when: 'always' | 'missing' | 'never';
  readonly quiet: boolean;
}

/** @returns the name by which the engine has it now @throws UsageError when it is not here and must not be pulled */
export async function bringImage(context: Context, text: string, { flags, when, quiet }: Bring): Promise<string> {
  const place = placeOf(text);
  if (place !== undefined && place.transport !== 'docker' && place.transport !== 'docker-daemon') {
    const name = nameIn(place);
    await copyBetween(context, { source: place, destination: { transport: 'docker-daemon', name } }, { flags, quiet });
    return name;
  }
  const name = text.replace(/^(docker:\/\/|containers-storage:|docker-daemon:)/, '');
  const here = when === 'always' ? undefined : await orMissing(context.daemon.call('GET', `/images/${encodeURIComponent(name)}/json`));
  if (here !== undefined) return name;
  if (when === 'never') throw new UsageError(`${name}: image not known`);
  if (!quiet) context.err(`Trying to pull ${name}...\n`);
  if (flags.value('creds') === undefined && flags.value('authfile') === undefined && flags.value('tls-verify') === undefined) {
    await pullImage(context, name, { out: quiet ? () => undefined : context.err });
  } else {
    // The engine knows no flags of ours: the image goes through here.
    await copyBetween(
      context,
      { source: { transport: 'docker', reference: parseReference(name) }, destination: { transport: 'docker-daemon', name } },
      { flags, quiet },
    );
  }
  return name;
}

/** A name that begins with a transport; a registry's port is none. */
function placeOf(text: string): ImageName | undefined {
  return /^(containers-storage|dir|docker|docker-archive|docker-daemon|oci|oci-archive):/.test(text) && !/^docker:[^/]/.test(text)
    ? parseImageName(text)
    : undefined;
}

/** An archive or a directory says, or its own name does, what its image is to be called. */
function nameIn(place: Exclude<ImageName, { transport: 'docker' | 'docker-daemon' }>): string {
  if (place.transport === 'docker-archive' && place.name !== undefined) return place.name;
  const file = basename(place.path)
    .replace(/\.(tar|tgz|tar\.gz)$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '-');
  if (!('image' in place) || place.image === undefined) return `localhost/${file}:latest`;
  return isTag(place.image) ? `localhost/${file}:${place.image}` : place.image;
}

export interface Copied {
  readonly source: ImageName;
  readonly destination: ImageName;
}

/** @returns the manifest's digest at the destination */
export function copyBetween(
  context: Context,
  { source: from, destination: to }: Copied,
  options: { readonly flags: ParsedFlags; readonly quiet: boolean; readonly format?: 'oci' | 'docker' },
): Promise<string> {
  const { flags, quiet, format } = options;
  return withSurroundings(context, async (surroundings) => {
    const source = await openSource(from, readSide(flags), surroundings);
    try {
      const destination = await openDestination(to, readDestination(flags), surroundings);
      try {
        const say = (line: string) => (quiet ? undefined : context.err(`${line}\n`));
        return await copyImage(
          source,
          destination,
          { all: false, preserveDigests: false, ...(format === undefined ? {} : { format }), say },
          surroundings,
        );
      } finally {
        await destination.close();
      }
    } finally {
      await source.close();
    }
  });
}

export const pull: Command = async (context) => {
  const flags = parseFlags(context.args, { ...REGISTRY_FLAGS, quiet: { kind: 'switch', short: 'q' }, policy: { kind: 'value' } });
  const [name, more] = flags.words;
  if (name === undefined || more !== undefined) throw new UsageError('an image name must be specified, and one only');
  const policy = flags.value('policy') ?? 'always';
  if (!['always', 'missing', 'ifmissing', 'never'].includes(policy)) throw new UsageError(`unrecognized pull policy ${policy}`);
  const when = policy === 'ifmissing' ? 'missing' : (policy as 'always' | 'missing' | 'never');
  const here = await bringImage(context, name, { flags, when, quiet: flags.has('quiet') });
  const { Id } = await context.daemon.call<{ Id: string }>('GET', `/images/${encodeURIComponent(here)}/json`);
  context.out(`${Id.replace(/^sha256:/, '')}\n`);
  return 0;
};

export const push: Command = async (context) => {
  const flags = parseFlags(context.args, {
    ...REGISTRY_FLAGS,
    digestfile: { kind: 'value' },
    format: { kind: 'value', short: 'f' },
    quiet: { kind: 'switch', short: 'q' },
  });
  const [image, destination = image, more] = flags.words;
  if (image === undefined || destination === undefined || more !== undefined)
    throw new UsageError('an image, and at most one destination, must be specified');
  const { Id } = await context.daemon.call<{ Id: string }>('GET', `/images/${encodeURIComponent(image)}/json`);
  const to = destinationOf(destination);
  const digest = await copyBetween(
    context,
    { source: { transport: 'docker-daemon', name: Id }, destination: to },
    { flags, quiet: flags.has('quiet'), ...formatOf(flags) },
  );
  const file = flags.value('digestfile');
  if (file !== undefined) (await import('node:fs')).writeFileSync(file, digest);
  return 0;
};

/** A name without a transport is a registry's. */
function destinationOf(text: string): ImageName {
  return placeOf(text) ?? { transport: 'docker', reference: parseReference(text) };
}

/** `--format`; absent: as the destination likes it. */
export function formatOf(flags: ParsedFlags): { readonly format?: 'oci' | 'docker' } {
  const format = flags.value('format');
  if (format === undefined) return {};
  if (format === 'oci' || format === 'docker') return { format };
  if (format === 'v2s2') return { format: 'docker' };
  throw new UsageError(`unrecognized image type ${JSON.stringify(format)}: oci or docker`);
}

/** Where commit writes: the engine's store, unless a transport says otherwise. */
export function commitDestination(text: string): ImageName {
  return placeOf(text) ?? { transport: 'docker-daemon', name: text };
}

export const tag: Command = async ({ args, daemon }) => {
  const [image, ...names] = parseFlags(args, {}).words;
  if (image === undefined || names.length === 0) throw new UsageError('image name and at least one new name must be specified');
  for (const name of names) {
    const { domain, path, tag: named = 'latest' } = parseReference(name);
    await daemon.call('POST', `/images/${encodeURIComponent(image)}/tag?${new URLSearchParams({ repo: `${domain}/${path}`, tag: named })}`);
  }
  return 0;
};
