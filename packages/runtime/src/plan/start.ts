/**
 * The last steps: find the program, wait for `start`, become it.
 *
 * Knows: what runs and with which environment.
 * Does not know: who opens the fifo.
 */
import type { RuntimeSpec, SpecProcess } from '@slipway/oci';
import { type Draft, invalid } from './draft.ts';
import { planStartHooks } from './hooks.ts';
import type { BundleFacts } from './host.ts';
import { planLateSeccomp, type SeccompSubject } from './seccomp.ts';

interface StartChoices {
  readonly awaitStart: boolean;
  readonly subject: SeccompSubject;
  /** Of a container's first process: whose state its hooks are told. */
  readonly hooks?: BundleFacts;
}

export function planStart(draft: Draft, spec: RuntimeSpec, { awaitStart, subject, hooks }: StartChoices): void {
  const { process: program } = spec;
  const [name] = program?.args ?? [];
  if (program === undefined || name === undefined) throw invalid('/process/args', 'a process needs at least one argument, its program');
  const env = program.env ?? [];
  if (awaitStart)
    draft.add('start', { pointer: '', reason: 'created: everything is ready, and `start` decides when' }, { op: 'awaitStart' });
  if (hooks !== undefined) planStartHooks(draft, spec, hooks);
  planLateSeccomp(draft, spec, subject);
  draft.add('start', { pointer: '/process/args', reason: `the process becomes ${name}` }, { op: 'exec', args: program.args ?? [], env });
}

/**
 * Finds the program while a failure still fails the creation.
 * @spec runtime-spec/config.md#process/args
 */
export function planProgram(draft: Draft, program: SpecProcess): void {
  const [name = ''] = program.args ?? [];
  const path = (program.env ?? []).findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  draft.add(
    'rights',
    { pointer: '/process/args/0', reason: 'a missing program fails the creation, not the start' },
    { op: 'findExecutable', name, path },
  );
}
