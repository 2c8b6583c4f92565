/**
 * Hooks of a birth: programs that the document wants run on the way.
 *
 * Knows: which kind runs when, in whose namespaces, and where its path is looked up.
 * Does not know: poststart and poststop, which come after a birth (../hooks.ts).
 *
 *     kind              called by   runs in      path is of
 *     prestart          create      runtime      runtime      (deprecated, same moment as createRuntime)
 *     createRuntime     create      runtime      runtime
 *     createContainer   create      container    runtime      (before pivot_root: names still are the runtime's)
 *     startContainer    start       container    container
 *
 * @spec runtime-spec/config.md#posix-platform-hooks
 */
import type { HookProgram } from '@slipway/launcher';
import type { RuntimeSpec, SpecHook } from '@slipway/oci';
import type { Draft } from './draft.ts';
import type { BundleFacts } from './host.ts';

export type HookKind = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop';

/** The hooks of one kind, in the order in which they are to run. */
export function hooksOf(spec: RuntimeSpec, kind: HookKind): readonly HookProgram[] {
  return (spec.hooks?.[kind] ?? []).map(toProgram);
}

/** True when a program of the caller looks at the container while its root is still open. */
export function hasBirthHooks(spec: RuntimeSpec): boolean {
  return (['prestart', 'createRuntime', 'createContainer'] as const).some((kind) => hooksOf(spec, kind).length > 0);
}

/**
 * Everything of the container is made, and pivot_root has not happened.
 * @spec runtime-spec/config.md#prestart, runtime-spec/config.md#createruntime-hooks
 * @spec runtime-spec/config.md#createcontainer-hooks
 */
export function planBirthHooks(draft: Draft, spec: RuntimeSpec, facts: BundleFacts): void {
  for (const kind of ['prestart', 'createRuntime'] as const) {
    for (const [index, hook] of hooksOf(spec, kind).entries()) {
      const origin = { pointer: `/hooks/${kind}/${index}`, reason: 'a program of the caller, outside, before the root is closed' };
      draft.add('hooks', origin, { op: 'runtimeHook', hook });
    }
  }
  for (const [index, hook] of hooksOf(spec, 'createContainer').entries()) {
    const origin = { pointer: `/hooks/createContainer/${index}`, reason: 'a program of the host, in the container’s namespaces' };
    draft.add('hooks', origin, { op: 'containerHook', hook, state: stateAround(spec, facts, 'creating') });
  }
}

/**
 * After `start` was called; whoever called it hears about the end of these before it goes on.
 * @spec runtime-spec/config.md#startcontainer-hooks
 */
export function planStartHooks(draft: Draft, spec: RuntimeSpec, facts: Pick<BundleFacts, 'id' | 'bundle'>): void {
  const hooks = hooksOf(spec, 'startContainer');
  for (const [index, hook] of hooks.entries()) {
    const origin = { pointer: `/hooks/startContainer/${index}`, reason: 'a program of the container, just before its process' };
    draft.add('start', origin, { op: 'containerHook', hook, state: stateAround(spec, facts, 'created') });
  }
  if (hooks.length === 0) return;
  draft.add('start', { pointer: '/hooks/startContainer', reason: 'nothing can fail any more: `start` may return' }, { op: 'confirmStart' });
}

/** What every hook reads on its stdin. `pid` absent: there is no process. @spec runtime-spec/runtime.md#state */
export function formatHookState(
  spec: RuntimeSpec,
  { id, bundle }: { readonly id: string; readonly bundle: string },
  status: 'creating' | 'created' | 'running' | 'stopped',
  pid?: number,
): string {
  const { ociVersion, annotations } = spec;
  return JSON.stringify({ ociVersion, id, status, pid, bundle, annotations });
}

/** The state cut open where the pid goes: only the process itself knows how it is called in its pid namespace. */
function stateAround(spec: RuntimeSpec, facts: Pick<BundleFacts, 'id' | 'bundle'>, status: 'creating' | 'created'): [string, string] {
  const state = formatHookState(spec, facts, status, 0);
  const at = state.indexOf(',"pid":0,') + ',"pid":'.length;
  return [state.slice(0, at), state.slice(at + 1)];
}

function toProgram({ path, args = [], env = [], timeout = 0 }: SpecHook): HookProgram {
  return { path, args: args.length === 0 ? [path] : args, env, timeoutMs: timeout * 1000 };
}
