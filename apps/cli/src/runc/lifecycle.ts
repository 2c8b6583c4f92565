/**
 * `start state kill delete pause resume`: one call of the runtime each.
 *
 * Knows: runc's arguments and its state document.
 * Does not know: how the runtime does it.
 */
import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isKind } from '@slipway/errors';
import { parseSignal } from '@slipway/oci';
import type { ContainerState, Runtime } from '@slipway/runtime';
import { type Command, type Context, openRuntime, requireWords, UsageMistake } from './context.ts';

export const start: Command = async (context) => {
  const [id] = requireWords(context, 'start', 1);
  await openRuntime(context).start(id);
  return 0;
};

export const state: Command = async (context) => {
  const [id] = requireWords(context, 'state', 1);
  const runtime = openRuntime(context);
  context.out(JSON.stringify(await describe(context, runtime, await runtime.state(id)), undefined, 2));
  return 0;
};

const SIGTERM = 15;

export const kill: Command = async (context) => {
  const { flags } = context;
  const [id, word] = flags.words;
  if (id === undefined || flags.words.length > 2) throw new UsageMistake('runc: "kill" requires a minimum of 1 argument, maximum of 2');
  const signal = word === undefined ? SIGTERM : word === '0' ? 0 : parseSignal(word);
  if (signal === undefined) throw new UsageMistake(`unknown signal "${word}"`);
  await openRuntime(context).kill(id, signal, { all: flags.has('all') });
  return 0;
};

export const remove: Command = async (context) => {
  const [id] = requireWords(context, 'delete', 1);
  const runtime = openRuntime(context);
  // As runc: a container that was never started has nothing to lose.
  const force = context.flags.has('force') || (await isOnlyCreated(runtime, id));
  await runtime.delete(id, { force });
  return 0;
};

async function isOnlyCreated(runtime: Runtime, id: string): Promise<boolean> {
  return (await runtime.state(id)).status === 'created';
}

export const pause: Command = async (context) => {
  const [id] = requireWords(context, 'pause', 1);
  await openRuntime(context).pause(id);
  return 0;
};

export const resume: Command = async (context) => {
  const [id] = requireWords(context, 'resume', 1);
  await openRuntime(context).resume(id);
  return 0;
};

/** runc's document: the specification's, with `rootfs` and `owner`, without what is ours. */
export interface RuncState {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

export async function describe({ root }: Context, runtime: Runtime, container: ContainerState): Promise<RuncState> {
  const { ociVersion, id, pid, status, bundle, created, annotations } = container;
  return {
    ociVersion,
    id,
    pid,
    status,
    bundle,
    rootfs: await rootfsOf(runtime, container),
    created,
    ...(annotations === undefined ? {} : { annotations }),
    owner: ownerOf(join(root, id)),
  };
}

async function rootfsOf(runtime: Runtime, { id, bundle }: ContainerState): Promise<string> {
  try {
    const path = (await runtime.spec(id)).root?.path ?? 'rootfs';
    return isAbsolute(path) ? path : join(bundle, path);
  } catch (error) {
    if (isKind(error, 'data-loss') || isKind(error, 'not-found')) return '';
    throw error;
  }
}

function ownerOf(directory: string): string {
  const { uid } = statSync(directory);
  return uid === 0 ? 'root' : `#${uid}`;
}
