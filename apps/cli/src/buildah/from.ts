/** `buildah from`: a working container, of an image that is here, in a registry, an archive or a layout, or of nothing. */
import { writeFileSync } from 'node:fs';
import { familiarReference, hostPlatform, parseReference } from '@slipway/oci';
import type { Command, Context } from '../docker/commands/context.ts';
import { DaemonError } from '../docker/daemon.ts';
import { parseFlags, UsageError } from '../flags.ts';
import { REGISTRY_FLAGS } from './registry-flags.ts';
import { bringImage } from './transfer.ts';
import { BASE_LABEL, readConfig, writeConfig } from './working-container.ts';

export const from: Command = async (context) => {
  const flags = parseFlags(context.args, {
    ...REGISTRY_FLAGS,
    name: { kind: 'value' },
    pull: { kind: 'switch' },
    'pull-always': { kind: 'switch' },
    'pull-never': { kind: 'switch' },
    quiet: { kind: 'switch', short: 'q' },
    cidfile: { kind: 'value' },
    format: { kind: 'value' },
    platform: { kind: 'value' },
  });
  const [image, more] = flags.words;
  if (image === undefined || more !== undefined) throw new UsageError('an image name (or "scratch") must be specified, and one only');
  requireOwnPlatform(flags.value('platform'));
  const when = flags.has('pull-always') ? 'always' : flags.has('pull-never') || flags.value('pull') === 'false' ? 'never' : 'missing';
  const name = image === 'scratch' ? image : await bringImage(context, image, { flags, when, quiet: flags.has('quiet') });
  const container = await createWorking(context, name, flags.value('name'));
  const cidFile = flags.value('cidfile');
  if (cidFile !== undefined) writeFileSync(cidFile, container.id);
  context.out(`${container.name}\n`);
  return 0;
};

function requireOwnPlatform(platform: string | undefined): void {
  const { os, architecture } = hostPlatform(process.arch);
  if (platform === undefined || platform.split('/').slice(0, 2).join('/') === `${os}/${architecture}`) return;
  throw new UsageError(`--platform ${platform}: images are put together for ${os}/${architecture} only here`);
}

interface ImageJson {
  readonly Config: { readonly Cmd: readonly string[] | null; readonly Entrypoint: readonly string[] | null };
}

/** With the image's config as its own, to be changed and committed. */
async function createWorking(
  context: Context,
  image: string,
  asked: string | undefined,
): Promise<{ readonly id: string; readonly name: string }> {
  const { daemon } = context;
  const found = image === 'scratch' ? undefined : await daemon.call<ImageJson>('GET', `/images/${encodeURIComponent(image)}/json`);
  // The engine has no container without a command. This one never runs; what stands in for one is no part of the config.
  const hasCommand = [...(found?.Config.Cmd ?? []), ...(found?.Config.Entrypoint ?? [])].length > 0;
  const body = {
    Image: image,
    Labels: { [BASE_LABEL]: image === 'scratch' ? '' : fullName(image) },
    HostConfig: { NetworkMode: 'none' },
    ...(hasCommand ? {} : { Cmd: ['/bin/sh'] }),
  };
  const container = await createNamed(context, body, asked ?? `${shortName(image)}-working-container`, asked === undefined);
  const document = await readConfig(context, container);
  if (!hasCommand) delete document.config.Cmd;
  await writeConfig(context, container, document);
  return container;
}

/** A made-up name gets a number when it is taken; a chosen one is refused. */
async function createNamed({ daemon }: Context, body: object, wanted: string, numbered: boolean) {
  for (let count = 0; ; count++) {
    const name = count === 0 ? wanted : `${wanted}-${count}`;
    try {
      const { Id } = await daemon.call<{ Id: string }>('POST', `/containers/create?name=${encodeURIComponent(name)}`, body);
      return { id: Id, name };
    } catch (error) {
      if (!(error instanceof DaemonError && error.status === 409 && numbered && count < 1000)) throw error;
    }
  }
}

function fullName(image: string): string {
  return /^(sha256:)?[0-9a-f]{12,64}$/.test(image) ? image : familiarReference(parseReference(image));
}

function shortName(image: string): string {
  return /^(sha256:)?[0-9a-f]{12,64}$/.test(image)
    ? image.replace(/^sha256:/, '').slice(0, 12)
    : (image
        .replace(/@.*$/, '')
        .replace(/:[^:/]*$/, '')
        .split('/')
        .at(-1) ?? image);
}
