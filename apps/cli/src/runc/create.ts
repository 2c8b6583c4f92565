/**
 * `create` and `run`.
 *
 * Knows: runc's flags, and that what `run` made it takes away again.
 * Does not know: how a container is made (packages/runtime).
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseSpecJson } from '@slipway/oci';
import type { CreateRequest, Runtime } from '@slipway/runtime';
import { type Command, type Context, openRuntime, requireWords } from './context.ts';
import { chooseStreams } from './streams.ts';
import { forwardSignals, openRelay } from './terminal.ts';
import { writeVerbsFile } from './verbs-file.ts';

export const create: Command = async (context) => {
  const [id] = requireWords(context, 'create', 1);
  const streams = chooseStreams(context.flags, { terminal: lookAhead(context).terminal, stays: false });
  if (streams.kind === 'relay') return 0;
  const runtime = openRuntime(context);
  const started = await runtime.create(requestFor(context, id, streams.supervision));
  await writeVerbsFile(context, runtime, id, started);
  return 0;
};

export const run: Command = async (context) => {
  const [id] = requireWords(context, 'run', 1);
  const { flags } = context;
  const stays = !flags.has('detach');
  const { terminal, hooksLater } = lookAhead(context);
  const streams = chooseStreams(flags, { terminal, stays });
  const runtime = openRuntime(context, { alone: stays && hooksLater });
  if (streams.kind === 'relay') return await removingAfter(context, runtime, id, () => runOnTerminal(context, runtime, id));
  const started = await runtime.create(requestFor(context, id, streams.supervision));
  const { exit } = started;
  if (exit === undefined) {
    await writeVerbsFile(context, runtime, id, started);
    if (stays) context.front?.handOver(flags.has('keep') ? 'run-and-keep' : 'run', context.root, id);
    else await startOrRemove(runtime, id);
    return 0;
  }
  return await removingAfter(context, runtime, id, async () => {
    using _forwarding = forwardSignals((signal) => runtime.kill(id, signal));
    await startOrRemove(runtime, id);
    return await exit;
  });
};

async function runOnTerminal(context: Context, runtime: Runtime, id: string): Promise<number> {
  await using relay = await openRelay();
  const { consoleSize } = relay;
  await runtime.create({ ...requestFor(context, id, relay.supervision), ...(consoleSize && { consoleSize }) });
  using _forwarding = forwardSignals((signal) => runtime.kill(id, signal));
  try {
    await relay.attach();
  } catch (error) {
    await runtime.delete(id, { force: true });
    throw error;
  }
  await startOrRemove(runtime, id);
  return await relay.run();
}

/** A start that fails leaves nothing, like a creation that fails. */
async function startOrRemove(runtime: Runtime, id: string): Promise<void> {
  try {
    await runtime.start(id);
  } catch (error) {
    await runtime.delete(id, { force: true });
    throw error;
  }
}

/** Only a container that came to life is taken away here: an id that was taken is somebody else's. */
async function removingAfter({ flags }: Context, runtime: Runtime, id: string, live: () => Promise<number>): Promise<number> {
  const exitCode = await live();
  if (!flags.has('keep')) await runtime.delete(id, { force: true });
  return exitCode;
}

function requestFor({ flags }: Context, id: string, supervision: CreateRequest['supervision']): CreateRequest {
  const pidFile = flags.value('pid-file') ?? '';
  return {
    id,
    bundle: bundleOf(flags.value('bundle')),
    supervision,
    noPivot: flags.has('no-pivot'),
    noNewKeyring: flags.has('no-new-keyring'),
    ...(pidFile === '' ? {} : { pidFile: resolve(pidFile) }),
  };
}

interface Ahead {
  readonly terminal: boolean;
  /** There are hooks of the start or of the end. */
  readonly hooksLater: boolean;
}

/** Read ahead of the runtime, which reads it once for good: a document it would refuse is left for it to refuse. */
function lookAhead({ flags }: Context): Ahead {
  try {
    const text = readFileSync(join(bundleOf(flags.value('bundle')), 'config.json'), 'utf8');
    const { process, hooks } = parseSpecJson(text) as { process?: { terminal?: unknown }; hooks?: Readonly<Record<string, unknown>> };
    const later = [hooks?.startContainer, hooks?.poststart, hooks?.poststop];
    return { terminal: process?.terminal === true, hooksLater: later.some((each) => each !== undefined) };
  } catch {
    return { terminal: false, hooksLater: false };
  }
}

function bundleOf(flag: string | undefined): string {
  return resolve(flag === undefined || flag === '' ? '.' : flag);
}
