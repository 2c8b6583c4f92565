/** `buildah config`: the image config of a working container, field by field. */
import type { Command } from '../docker/commands/context.ts';
import { type FlagTable, parseFlags, UsageError } from '../flags.ts';
import { changeConfig } from './change-config.ts';
import { getWorking, readConfig, writeConfig } from './working-container.ts';

const CONFIG_FLAGS: FlagTable = {
  'add-history': { kind: 'switch' },
  annotation: { kind: 'list', short: 'a' },
  arch: { kind: 'value' },
  author: { kind: 'value' },
  cmd: { kind: 'value' },
  'created-by': { kind: 'value' },
  entrypoint: { kind: 'value' },
  env: { kind: 'list', short: 'e' },
  healthcheck: { kind: 'value' },
  'healthcheck-interval': { kind: 'value' },
  'healthcheck-retries': { kind: 'value' },
  'healthcheck-start-period': { kind: 'value' },
  'healthcheck-timeout': { kind: 'value' },
  'history-comment': { kind: 'value' },
  label: { kind: 'list', short: 'l' },
  onbuild: { kind: 'list' },
  os: { kind: 'value' },
  port: { kind: 'list', short: 'p' },
  shell: { kind: 'value' },
  'stop-signal': { kind: 'value' },
  unsetlabel: { kind: 'list' },
  user: { kind: 'value', short: 'u' },
  variant: { kind: 'value' },
  volume: { kind: 'list', short: 'v' },
  workingdir: { kind: 'value' },
};

export const config: Command = async (context) => {
  const flags = parseFlags(context.args, CONFIG_FLAGS);
  const [reference, more] = flags.words;
  if (more !== undefined) throw new UsageError('too many arguments specified');
  if (flags.list('annotation').length > 0) throw new UsageError('--annotation: annotations of a manifest are not kept here; use --label');
  const container = await getWorking(context, reference);
  const { document, warnings } = changeConfig(await readConfig(context, container), flags, context.environment);
  for (const warning of warnings) context.err(`${warning}\n`);
  await writeConfig(context, container, document);
  return 0;
};
