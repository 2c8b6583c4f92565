/** `buildah rm`, `rmi` and `rename`. */

import type { Command } from '../docker/commands/context.ts';
import { parseFlags, UsageError } from '../flags.ts';
import { forEachName } from './each.ts';
import { unmountRoot } from './mount.ts';
import { getWorking, listWorking } from './working-container.ts';

export const rm: Command = async (context) => {
  const flags = parseFlags(context.args, { all: { kind: 'switch', short: 'a' } });
  const names = flags.has('all') ? (await listWorking(context)).map(({ id }) => id) : flags.words;
  if (names.length === 0 && !flags.has('all')) throw new UsageError('container ID must be specified');
  return await forEachName(context, names, async (name) => {
    const container = await getWorking(context, name);
    unmountRoot(context, container);
    await context.daemon.call('DELETE', `/containers/${container.id}`);
    return container.id;
  });
};

export const rmi: Command = async (context) => {
  const flags = parseFlags(context.args, {
    all: { kind: 'switch', short: 'a' },
    force: { kind: 'switch', short: 'f' },
    prune: { kind: 'switch', short: 'p' },
  });
  const { daemon } = context;
  const here =
    flags.has('all') || flags.has('prune')
      ? await daemon.call<readonly { Id: string; RepoTags: readonly string[] }[]>('GET', '/images/json')
      : [];
  const wanted = here.filter(({ RepoTags }) => flags.has('all') || RepoTags.length === 0).map(({ Id }) => Id);
  const names = here.length === 0 ? flags.words : wanted;
  if (names.length === 0 && !flags.has('all') && !flags.has('prune')) throw new UsageError('image name or ID must be specified');
  return await forEachName(context, names, async (name) => {
    const force = flags.has('force') || flags.has('all') ? 1 : 0;
    const gone = await daemon.call<readonly { Untagged?: string; Deleted?: string }[]>(
      'DELETE',
      `/images/${encodeURIComponent(name)}?force=${force}`,
    );
    return gone
      .map(({ Untagged, Deleted }) => (Untagged === undefined ? (Deleted ?? '').replace(/^sha256:/, '') : `untagged: ${Untagged}`))
      .join('\n');
  });
};

export const rename: Command = async (context) => {
  const [reference, name, more] = parseFlags(context.args, {}).words;
  if (name === undefined || more !== undefined) throw new UsageError('a container, and its new name, must be specified');
  const { id } = await getWorking(context, reference);
  await context.daemon.call('POST', `/containers/${id}/rename?name=${encodeURIComponent(name)}`);
  return 0;
};
