/**
 * Commands that do one thing to each container (or image) named: stop, kill, rm, wait, pause, rename, rmi …
 *
 * Knows: which request each is. One failing name does not keep the others from being done.
 */

import { type FlagTable, type ParsedFlags, parseFlags, UsageError } from '../../flags.ts';
import { LIMIT_FLAGS, limitsBody } from '../container-body.ts';
import { DaemonError } from '../daemon.ts';
import type { Command, Context } from './context.ts';

interface PerName {
  readonly name: string;
  readonly flags?: FlagTable;
  request(name: string, flags: ParsedFlags): { readonly method: string; readonly path: string; readonly body?: unknown };
  /** What is printed for a success; the name when absent. */
  show?(answer: unknown, name: string): string;
}

function forEachName(spec: PerName): Command {
  return async (context: Context) => {
    const flags = parseFlags(context.args, spec.flags ?? {});
    if (flags.words.length === 0) throw new UsageError(`"docker ${spec.name}" requires at least 1 argument`);
    let code = 0;
    for (const name of flags.words) {
      const { method, path, body } = spec.request(encodeURIComponent(name), flags);
      try {
        const answer = await context.daemon.call(method, path, body);
        context.out(spec.show === undefined ? `${name}\n` : spec.show(answer, name));
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
        context.err(`Error response from daemon: ${error.message}\n`);
        code = 1;
      }
    }
    return code;
  };
}

const TIME: FlagTable = { time: { kind: 'value', short: 't' }, timeout: { kind: 'value' }, signal: { kind: 'value', short: 's' } };

function timeQuery(flags: ParsedFlags): string {
  const query = new URLSearchParams();
  const seconds = flags.value('time') ?? flags.value('timeout');
  if (seconds !== undefined) query.set('t', seconds);
  const signal = flags.value('signal');
  if (signal !== undefined) query.set('signal', signal);
  return query.size > 0 ? `?${query}` : '';
}

const container =
  (verb: string, query = '') =>
  (name: string) => ({ method: 'POST', path: `/containers/${name}/${verb}${query}` });

export const stop = forEachName({ name: 'stop', flags: TIME, request: (name, flags) => container('stop', timeQuery(flags))(name) });
export const restart = forEachName({
  name: 'restart',
  flags: TIME,
  request: (name, flags) => container('restart', timeQuery(flags))(name),
});
export const pause = forEachName({ name: 'pause', request: container('pause') });
export const unpause = forEachName({ name: 'unpause', request: container('unpause') });
export const wait = forEachName({
  name: 'wait',
  request: container('wait'),
  show: (answer) => `${(answer as { StatusCode: number }).StatusCode}\n`,
});
export const kill = forEachName({
  name: 'kill',
  flags: { signal: { kind: 'value', short: 's' } },
  request: (name, flags) => container('kill', `?signal=${encodeURIComponent(flags.value('signal') ?? 'KILL')}`)(name),
});
export const update = forEachName({
  name: 'update',
  flags: LIMIT_FLAGS,
  request: (name, flags) => {
    const body = limitsBody(flags);
    if (Object.keys(body).length === 0) throw new UsageError('you must provide one or more flags when using this command');
    return { ...container('update')(name), body };
  },
});
export const rm = forEachName({
  name: 'rm',
  flags: { force: { kind: 'switch', short: 'f' }, volumes: { kind: 'switch', short: 'v' } },
  request: (name, flags) => ({
    method: 'DELETE',
    path: `/containers/${name}?force=${flags.has('force') ? 1 : 0}&v=${flags.has('volumes') ? 1 : 0}`,
  }),
});
export const rmi = forEachName({
  name: 'rmi',
  flags: { force: { kind: 'switch', short: 'f' } },
  request: (name, flags) => ({ method: 'DELETE', path: `/images/${name}?force=${flags.has('force') ? 1 : 0}` }),
  show: (answer) =>
    (answer as readonly { Untagged?: string; Deleted?: string }[])
      .map(({ Untagged, Deleted }) => (Untagged === undefined ? `Deleted: ${Deleted}\n` : `Untagged: ${Untagged}\n`))
      .join(''),
});

export const rename: Command = async ({ args, daemon }) => {
  const [from, to, ...more] = args;
  if (from === undefined || to === undefined || more.length > 0)
    throw new UsageError('"docker rename" requires exactly 2 arguments: old and new name');
  await daemon.call('POST', `/containers/${encodeURIComponent(from)}/rename?name=${encodeURIComponent(to)}`);
  return 0;
};
