/**
 * `buildah run`: a command on a working container's root, in a container of the engine's that is gone afterwards.
 *
 * Knows: that what is not said is as the image's config has it, and that its entrypoint counts for nothing here.
 * Does not know: how streams and exit codes come back (src/docker).
 */

import type { Command } from '../docker/commands/context.ts';
import { runAttached, sized } from '../docker/commands/run.ts';
import { CREATE_FLAGS, type CreateBody, containerBody } from '../docker/container-body.ts';
import { type FlagTable, type ParsedFlags, parseFlags, UsageError } from '../flags.ts';
import { getWorking } from './working-container.ts';

/** Those of docker's that buildah's run has, too. */
const SAME = ['add-host', 'cap-add', 'cap-drop', 'env', 'hostname', 'network', 'runtime', 'security-opt', 'user', 'volume'] as const;
const RUN_FLAGS: FlagTable = {
  ...Object.fromEntries(SAME.map((name) => [name, { kind: CREATE_FLAGS[name]?.kind ?? 'value' }])),
  env: { kind: 'list', short: 'e' },
  user: { kind: 'value', short: 'u' },
  volume: { kind: 'list', short: 'v' },
  isolation: { kind: 'value' },
  terminal: { kind: 'switch', short: 't' },
  tty: { kind: 'switch' },
  workingdir: { kind: 'value' },
};

export const run: Command = async (context) => {
  const flags = parseFlags(context.args, RUN_FLAGS, false);
  const [reference, ...words] = flags.words;
  const command = words[0] === '--' ? words.slice(1) : words;
  const container = await getWorking(context, reference);
  if (command.length === 0) throw new UsageError('command must be specified');
  const isolation = flags.value('isolation') ?? 'oci';
  if (isolation !== 'oci') throw new UsageError(`--isolation ${isolation}: commands run in containers of the engine (oci) here`);
  const tty =
    flags.has('terminal') || flags.has('tty') || (process.stdin.isTTY && process.stdout.isTTY && flags.value('terminal') !== 'false');
  const body = sized(runBody(flags, { environment: context.environment, container: container.id, command, tty }));
  const { Id } = await context.daemon.call<{ Id: string }>('POST', '/containers/create', body);
  const code = await runAttached({ ...context, err: inOwnWords(context.err) }, Id, { tty, stdin: true }, true);
  if (code !== 0) context.err(`Error: while running runtime: exit status ${code}\n`);
  return code;
};

interface RunRequest {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly container: string;
  readonly command: readonly string[];
  readonly tty: boolean;
}

function runBody(flags: ParsedFlags, { environment, container, command, tty }: RunRequest): CreateBody {
  const body = containerBody({ ...flags, words: ['', ...command] }, environment);
  const workingDir = flags.value('workingdir');
  return {
    ...body,
    Tty: tty,
    OpenStdin: true,
    StdinOnce: true,
    Entrypoint: [''],
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
    HostConfig: { ...(body['HostConfig'] as object), AutoRemove: true, RootfsFrom: container },
  };
}

/** The engine's sentence, without the other dialect's name. */
function inOwnWords(err: (text: string) => void): (text: string) => void {
  return (text) => err(text.replace(/^docker: Error response from daemon: /, 'Error: '));
}
