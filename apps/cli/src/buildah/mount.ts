/**
 * `buildah mount` and `umount`: a working container's root as a directory of the host, for tools that know nothing of containers.
 *
 * Knows: the engine says what a root is made of; mounting it takes root's rights, on the engine's own machine.
 * Does not know: snapshots.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import type { Command, Context } from '../docker/commands/context.ts';
import { parseFlags, UsageError } from '../flags.ts';
import { forEachName } from './each.ts';
import { getWorking, listWorking, type WorkingContainer } from './working-container.ts';

interface GraphDriver {
  readonly Name: string;
  readonly Data: Readonly<Record<string, string>> | null;
}

export const mount: Command = async (context) => {
  const { words } = parseFlags(context.args, {});
  if (words.length === 0) {
    const mounted = (await listWorking(context)).filter((container) => isMounted(placeOf(context, container)));
    for (const container of mounted) context.out(`${container.name} ${placeOf(context, container)}\n`);
    return 0;
  }
  return await forEachName(context, words, async (name) => {
    const path = await mountRoot(context, await getWorking(context, name));
    return words.length === 1 ? path : `${name} ${path}`;
  });
};

export const umount: Command = async (context) => {
  const flags = parseFlags(context.args, { all: { kind: 'switch', short: 'a' } });
  const names = flags.has('all') ? (await listWorking(context)).map(({ id }) => id) : flags.words;
  if (names.length === 0 && !flags.has('all')) throw new UsageError('at least one container ID must be specified');
  return await forEachName(context, names, async (name) => {
    const container = await getWorking(context, name);
    return unmountRoot(context, container) || !flags.has('all') ? container.id : '';
  });
};

async function mountRoot(context: Context, container: WorkingContainer): Promise<string> {
  const { GraphDriver } = await context.daemon.call<{ GraphDriver: GraphDriver }>('GET', `/containers/${container.id}/json`);
  const data = GraphDriver.Data ?? {};
  const target = placeOf(context, container);
  if (isMounted(target)) return target;
  mkdirSync(target, { recursive: true, mode: 0o700 });
  execFileSync('mount', [...mountOptions(data), target], { stdio: ['ignore', 'ignore', 'inherit'] });
  return target;
}

/** With nothing below, from scratch or because the engine copies, one directory is all of it. */
function mountOptions(data: Readonly<Record<string, string>>): readonly string[] {
  const lower = data['LowerDir'] ?? '';
  if (lower === '') return ['--bind', needed(data['MergedDir'], 'MergedDir')];
  const upper = needed(data['UpperDir'], 'UpperDir');
  const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${needed(data['WorkDir'], 'WorkDir')}`];
  return ['-t', 'overlay', 'overlay', '-o', [...options, ...(inUserNamespace() ? ['userxattr'] : [])].join(',')];
}

/** Quiet when it is not mounted. @returns whether it was */
export function unmountRoot(context: Context, container: WorkingContainer): boolean {
  const target = placeOf(context, container);
  if (!isMounted(target)) return false;
  execFileSync('umount', [target], { stdio: ['ignore', 'ignore', 'inherit'] });
  rmdirSync(target);
  return true;
}

function placeOf({ environment }: Context, { id }: WorkingContainer): string {
  return `${environment['XDG_RUNTIME_DIR'] ?? '/run'}/slipway-buildah/${id}`;
}

function isMounted(path: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === path);
}

/** The whole range of ids maps to itself only where there is no such namespace. */
function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
}

function needed(value: string | undefined, key: string): string {
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`the engine does not say where the container's root is (GraphDriver.Data.${key})`);
}
