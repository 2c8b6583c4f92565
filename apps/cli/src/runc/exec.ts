/**
 * `exec`: a further process in a running container.
 *
 * Knows: how flags and --process make up a process document.
 * Does not know: namespaces.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseCapability, type SpecCapabilities, type SpecProcess, validateProcess } from '@slipway/oci';
import type { ExecRequest, Runtime } from '@slipway/runtime';
import type { ParsedFlags } from '../flags.ts';
import { type Command, type Context, openRuntime, UsageMistake } from './context.ts';
import { chooseStreams } from './streams.ts';
import { forwardSignals, openRelay } from './terminal.ts';

export const exec: Command = async (context) => {
  const { flags } = context;
  const [id, ...args] = flags.words;
  if (id === undefined) throw new UsageMistake('runc: "exec" requires a minimum of 1 argument');
  const runtime = openRuntime(context);
  const process = await processOf(flags, args, runtime, id);
  const stays = !flags.has('detach');
  const streams = chooseStreams(flags, { terminal: process.terminal === true, stays });
  if (streams.kind === 'relay') return await execOnTerminal(context, runtime, id, process);
  const started = await runtime.exec(id, requestFor(context, process, streams.supervision));
  if (started.exit === undefined) {
    if (stays) context.front?.handOver('exec', context.root, id);
    return 0;
  }
  using _forwarding = forwardSignals((signal) => forward(started.pid, signal));
  return await started.exit;
};

async function execOnTerminal(context: Context, runtime: Runtime, id: string, process: SpecProcess): Promise<number> {
  await using relay = await openRelay();
  const { supervision, consoleSize } = relay;
  const request = requestFor(context, { ...process, ...(consoleSize && { consoleSize }) }, supervision);
  // A program may be over before anybody could attach to it.
  const { pid } = await runtime.exec(id, { ...request, onReady: () => relay.attach() });
  using _forwarding = forwardSignals((signal) => forward(pid, signal));
  return await relay.run();
}

/** Our own child's child, which is not reaped before we have seen its end. */
async function forward(pid: number, signal: number): Promise<void> {
  process.kill(pid, signal);
}

function requestFor({ flags }: Context, process: SpecProcess, supervision: ExecRequest['supervision']): ExecRequest {
  const pidFile = flags.value('pid-file') ?? '';
  const cgroups = flags.list('cgroup');
  return {
    process,
    supervision,
    ...(pidFile === '' ? {} : { pidFile: resolve(pidFile) }),
    ...(flags.has('ignore-paused') ? { ignorePaused: true } : {}),
    ...(cgroups.length === 0 ? {} : { cgroups: subgroups(cgroups) }),
  };
}

/** `[controller[,controller…]:]path`, as often as there are controllers. */
function subgroups(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.flatMap((word) => {
      const [path = '', controllers = ''] = word.split(':').toReversed();
      if (word.split(':').length > 2) throw new UsageMistake(`invalid --cgroup argument: ${word}`);
      return controllers.split(',').map((controller) => [controller, path]);
    }),
  );
}

async function processOf(flags: ParsedFlags, args: readonly string[], runtime: Runtime, id: string): Promise<SpecProcess> {
  const file = flags.value('process') ?? '';
  if (file !== '') return validateProcess(JSON.parse(await readFile(file, 'utf8')));
  if (args.length === 0) throw new UsageMistake('process args cannot be empty');
  const own = (await runtime.spec(id)).process;
  const user = flags.value('user');
  const gids = flags.list('additional-gids').map((text) => parseId(text, text));
  const caps = flags.list('cap');
  const apparmorProfile = flags.value('apparmor') ?? '';
  const selinuxLabel = flags.value('process-label') ?? '';
  return {
    args,
    cwd: flags.value('cwd') ?? own?.cwd ?? '/',
    env: [...(own?.env ?? []), ...flags.list('env')],
    terminal: flags.has('tty'),
    ...(user === undefined && gids.length === 0 ? {} : { user: { ...own?.user, ...ids(user, own), ...withGids(gids, own) } }),
    ...(apparmorProfile === '' ? {} : { apparmorProfile }),
    ...(selinuxLabel === '' ? {} : { selinuxLabel }),
    ...(flags.has('no-new-privs') ? { noNewPrivileges: true } : {}),
    ...(caps.length === 0 ? {} : { capabilities: addCapabilities(own?.capabilities, caps) }),
  };
}

function ids(user: string | undefined, own: SpecProcess | undefined): { uid: number; gid: number } {
  if (user === undefined) return { uid: own?.user?.uid ?? 0, gid: own?.user?.gid ?? 0 };
  const [uid = '', gid, ...more] = user.split(':');
  if (more.length > 0) throw new UsageMistake(`invalid user "${user}"`);
  return { uid: parseId(uid, user), gid: gid === undefined ? (own?.user?.gid ?? 0) : parseId(gid, user) };
}

function withGids(gids: readonly number[], own: SpecProcess | undefined): { additionalGids?: readonly number[] } {
  if (gids.length === 0) return {};
  return { additionalGids: [...(own?.user?.additionalGids ?? []), ...gids] };
}

/** The kernel's (uid_t)-1 means "leave as it is", and is no user. */
const ID_MAX = 4_294_967_294;

/** Digits only: a number out of range must never become another user, least of all 0. */
export function parseId(text: string, whole: string): number {
  if (/^[0-9]{1,10}$/.test(text) && Number(text) <= ID_MAX) return Number(text);
  throw new UsageMistake(`invalid user "${whole}": ids are numbers from 0 to ${ID_MAX}`);
}

/** Inheritable stays as it is: with it, programs with file capabilities would gain more than was asked for. */
function addCapabilities(own: SpecCapabilities = {}, words: readonly string[]): SpecCapabilities {
  const names = words.map((word) => {
    const name = parseCapability(word);
    if (name === undefined) throw new UsageMistake(`unknown capability "${word}"`);
    return name;
  });
  const add = (set: readonly string[] = []) => [...new Set([...set, ...names])];
  return { ...own, bounding: add(own.bounding), effective: add(own.effective), permitted: add(own.permitted) };
}
