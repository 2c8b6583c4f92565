/**
 * What the straight road of the verbs (native/main.c) has to know of a container, beside its state.
 *
 * Knows: the file's lines, and which hooks make a verb Node's.
 * Does not know: what a verb does. Without this file every verb takes the way through Node, so it is never worth a failure.
 */
import { type BigIntStats, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { readBootId, writeFileAtomic } from '@slipway/kernel';
import type { RuntimeSpec } from '@slipway/oci';
import type { ContainerState, Runtime, StartedProcess } from '@slipway/runtime';
import type { Context } from './context.ts';
import { describe, type RuncState } from './lifecycle.ts';

const NAME = 'verbs';

/** After a creation, before its caller hears of it. */
export async function writeVerbsFile(context: Context, runtime: Runtime, id: string, started: StartedProcess): Promise<void> {
  const state = await runtime.state(id);
  const document = await describe(context, runtime, state);
  const record = lstatSync(join(context.root, id, 'state.json'), { bigint: true });
  const text = format({ record, started, state, document, leftToNode: leftToNode(await runtime.spec(id), context.systemd) });
  await writeFileAtomic(join(context.root, id, NAME), text, { durable: false }).catch(() => undefined);
}

/** Verbs that run hooks, or whose answer depends on one, or that have to ask systemd. */
function leftToNode({ hooks }: RuntimeSpec, systemd: boolean): readonly string[] {
  const has = (list: readonly unknown[] = []) => list.length > 0;
  return [
    ...(has(hooks?.startContainer) || has(hooks?.poststart) ? ['start', 'delete'] : []),
    ...(has(hooks?.poststop) || systemd ? ['delete'] : []),
  ];
}

interface Contents {
  /** Whatever replaces the record, such as an update, makes this file worthless. */
  readonly record: BigIntStats;
  readonly started: StartedProcess;
  readonly state: ContainerState;
  readonly document: RuncState;
  readonly leftToNode: readonly string[];
}

/** Lines end at line feeds, which neither a path of a control group nor JSON has inside. */
function format({ record, started, state, document, leftToNode: words }: Contents): string {
  const lines = [
    'slipway-verbs 1',
    `record ${record.ino} ${record.size} ${record.mtimeNs}`,
    `boot ${readBootId()}`,
    `process ${started.pid} ${started.startTime}`,
    `node ${words.join(' ')}`,
    ...Object.values(state.cgroups).map((directory) => `group ${directory}`),
  ];
  const { pid: _pid, status: _status, ...rest } = document;
  const [open, ociVersion, id, ...tail] = JSON.stringify(rest, undefined, 2).split('\n');
  return [...lines, '', open, ociVersion, id, '', ...tail].join('\n');
}
