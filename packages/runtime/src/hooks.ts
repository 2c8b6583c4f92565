/**
 * Hooks that run in the runtime's namespaces, and what their failures mean.
 *
 * Knows: which failure stops a container and which is only a warning.
 * Does not know: hooks of the container's namespaces; the launcher's child runs those (plan/hooks.ts).
 *
 * @spec runtime-spec/runtime.md#lifecycle
 */
import { EngineError } from '@slipway/errors';
import { runHookProgram } from '@slipway/kernel';
import type { HookProgram } from '@slipway/launcher';
import type { ContainerRecord } from './container-record.ts';
import { formatHookState, type HookKind, hooksOf } from './plan/hooks.ts';

/** Characters of a hook's output that a message carries. */
const SAID_MAX = 500;

/** What a hook is told about: a record has it, and so has a container that is only being made. */
export type Hooked = Pick<ContainerRecord, 'id' | 'bundle' | 'spec'>;

/** @throws EngineError `failed-precondition` / `E_HOOK` with what the hook printed */
export async function runHook(hook: HookProgram, pointer: string, state: string): Promise<void> {
  const { failure, output } = await runHookProgram({ ...hook, stdin: state });
  if (failure !== undefined) throw hookFailed(pointer, hook.path, failure, output);
}

/**
 * One after another; the first that fails is the last that runs. @throws as {@link runHook}
 * @spec runtime-spec/config.md#poststart
 */
export async function runPoststart(container: Hooked, pid: number): Promise<void> {
  for (const [index, hook] of hooksOf(container.spec, 'poststart').entries())
    await runHook(hook, pointerOf('poststart', index), formatHookState(container.spec, container, 'running', pid));
}

/**
 * The container is gone already: a hook that fails cannot bring it back, so it is told and the next one runs.
 * @spec runtime-spec/config.md#poststop
 */
export async function runPoststop(container: Hooked, warn: (message: string) => void): Promise<void> {
  for (const [index, hook] of hooksOf(container.spec, 'poststop').entries()) {
    await runHook(hook, pointerOf('poststop', index), formatHookState(container.spec, container, 'stopped')).catch((error: unknown) =>
      warn(error instanceof Error ? error.message : String(error)),
    );
  }
}

export function hookFailed(pointer: string, path: string, failure: string, output: string): EngineError {
  const words = output.trim().slice(0, SAID_MAX);
  const said = words === '' ? '' : `: ${words}`;
  return new EngineError('failed-precondition', `hook "${path}" failed (${failure})${said}`, {
    code: 'E_HOOK',
    op: 'container.hook',
    subject: pointer,
    hint: 'the hook is a program of whoever wrote config.json; run it by hand with the state on its stdin',
  });
}

function pointerOf(kind: HookKind, index: number): string {
  return `/hooks/${kind}/${index}`;
}
