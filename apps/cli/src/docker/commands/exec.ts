/** `docker exec`: a further program in a running container. Knows its flags and the exec session's life; streams.ts carries the bytes. */
import { parseFlags, UsageError } from '../../flags.ts';
import { consoleSize, followSize, joinStreams } from '../streams.ts';
import type { Command } from './context.ts';

const FLAGS = {
  detach: { kind: 'switch', short: 'd' },
  env: { kind: 'list', short: 'e' },
  interactive: { kind: 'switch', short: 'i' },
  privileged: { kind: 'switch' },
  tty: { kind: 'switch', short: 't' },
  user: { kind: 'value', short: 'u' },
  workdir: { kind: 'value', short: 'w' },
} as const;

export const exec: Command = async ({ args, daemon, environment }) => {
  const flags = parseFlags(args, FLAGS, false);
  const [container, ...command] = flags.words;
  if (container === undefined || command.length === 0)
    throw new UsageError('"docker exec" requires at least 2 arguments: the container and a command');
  const tty = flags.has('tty');
  const attached = !flags.has('detach');
  const { Id } = await daemon.call<{ Id: string }>('POST', `/containers/${encodeURIComponent(container)}/exec`, {
    Cmd: command,
    Tty: tty,
    AttachStdin: attached && flags.has('interactive'),
    AttachStdout: attached,
    AttachStderr: attached,
    Privileged: flags.has('privileged'),
    Env: flags.list('env').map((entry) => (entry.includes('=') ? entry : `${entry}=${environment[entry] ?? ''}`)),
    ...(flags.value('user') === undefined ? {} : { User: flags.value('user') }),
    ...(flags.value('workdir') === undefined ? {} : { WorkingDir: flags.value('workdir') }),
  });
  if (!attached) {
    await daemon.call('POST', `/exec/${Id}/start`, { Detach: true, Tty: tty });
    return 0;
  }
  const connection = await daemon.hijack(`/exec/${Id}/start`, { Detach: false, Tty: tty, ...(tty ? consoleSize() : {}) });
  const stopSize = tty ? followSize((rows, columns) => daemon.call('POST', `/exec/${Id}/resize?h=${rows}&w=${columns}`)) : undefined;
  await joinStreams(connection, { tty, stdin: flags.has('interactive') });
  stopSize?.();
  const { ExitCode } = await daemon.call<{ ExitCode: number | null }>('GET', `/exec/${Id}/json`);
  return ExitCode ?? 0;
};
