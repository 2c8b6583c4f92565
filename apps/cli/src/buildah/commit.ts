/** `buildah commit`: the working container as an image, in the engine's store or wherever a transport says. */
import { writeFileSync } from 'node:fs';
import { formatReference, parseReference } from '@slipway/oci';
import type { Command, Context } from '../docker/commands/context.ts';
import { type ParsedFlags, parseFlags, UsageError } from '../flags.ts';
import { REGISTRY_FLAGS } from './registry-flags.ts';
import { commitDestination, copyBetween, formatOf } from './transfer.ts';
import { type ConfigDocument, getWorking, pendingStep, readConfig, type WorkingContainer, writeConfig } from './working-container.ts';

export const commit: Command = async (context) => {
  const flags = parseFlags(context.args, {
    ...REGISTRY_FLAGS,
    format: { kind: 'value', short: 'f' },
    iidfile: { kind: 'value' },
    quiet: { kind: 'switch', short: 'q' },
    rm: { kind: 'switch' },
    timestamp: { kind: 'value' },
  });
  const [reference, image, more] = flags.words;
  if (more !== undefined) throw new UsageError('too many arguments specified');
  const container = await getWorking(context, reference);
  const id = await commitTo(context, container, { flags, image });
  const file = flags.value('iidfile');
  if (file !== undefined) writeFileSync(file, id);
  context.out(`${id.replace(/^sha256:/, '')}\n`);
  if (flags.has('rm')) await context.daemon.call('DELETE', `/containers/${container.id}`);
  return 0;
};

async function commitTo(
  context: Context,
  container: WorkingContainer,
  { flags, image }: { readonly flags: ParsedFlags; readonly image: string | undefined },
): Promise<string> {
  const format = formatOf(flags).format ?? (context.environment['BUILDAH_FORMAT'] === 'docker' ? 'docker' : 'oci');
  const before = await readConfig(context, container);
  const written = format === 'docker' ? before : withoutDockersOwn(context, before);
  const destination = image === undefined ? undefined : commitDestination(image);
  const name = destination?.transport === 'docker-daemon' ? destination.name : undefined;
  if (written !== before) await writeConfig(context, container, written);
  const id = await commitAs(context, container, {
    step: pendingStep(written) ?? {},
    author: written.author,
    name,
    timestamp: timestampOf(flags),
  }).finally(async () => {
    if (written !== before) await writeConfig(context, container, before);
  });
  if (destination === undefined || name !== undefined) return id;
  try {
    await copyBetween(
      context,
      { source: { transport: 'docker-daemon', name: id }, destination },
      { flags, quiet: flags.has('quiet'), format },
    );
  } finally {
    await context.daemon.call('DELETE', `/images/${encodeURIComponent(id)}`);
  }
  return id;
}

interface CommitAs {
  readonly step: { readonly created_by?: string; readonly comment?: string };
  readonly author: string | undefined;
  readonly name: string | undefined;
  readonly timestamp: string | undefined;
}

async function commitAs({ daemon }: Context, { id, base }: WorkingContainer, { step, author, name, timestamp }: CommitAs): Promise<string> {
  const query = new URLSearchParams({
    container: id,
    pause: '0',
    createdBy: step.created_by ?? '/bin/sh',
    comment: `${step.comment ?? ''}${base === '' ? '' : `FROM ${base}`}`,
    ...(author === undefined ? {} : { author }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(name === undefined ? {} : repositoryAndTag(name)),
  });
  const { Id } = await daemon.call<{ Id: string }>('POST', `/commit?${query}`);
  return Id;
}

function repositoryAndTag(name: string): { readonly repo: string; readonly tag: string } {
  const { domain, path, tag = 'latest', digest } = parseReference(name);
  if (digest !== undefined) throw new UsageError(`an image is committed under a tag, not under a digest: ${name}`);
  return { repo: formatReference({ domain, path }).replace(/:latest$/, ''), tag };
}

function timestampOf(flags: ParsedFlags): string | undefined {
  const text = flags.value('timestamp');
  if (text !== undefined && !/^[0-9]{1,11}$/.test(text)) throw new UsageError(`--timestamp ${text}: seconds since 1970`);
  return text;
}

/** OCI's config has no such fields; docker's has. */
function withoutDockersOwn({ err }: Context, document: ConfigDocument): ConfigDocument {
  const { OnBuild, Healthcheck, Shell, ...config } = document.config;
  const left = { ONBUILD: OnBuild, HEALTHCHECK: Healthcheck, SHELL: Shell };
  const names = Object.entries(left).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  for (const name of names) err(`${name} is not supported for OCI image format, and will be ignored. Must use --format docker\n`);
  return names.length === 0 ? document : { ...document, config };
}
