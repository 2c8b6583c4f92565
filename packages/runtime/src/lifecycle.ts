/**
 * Which operation is allowed in which state.
 *
 * Knows: the rule, as a table.
 * Does not know: how a state is found out (status.ts).
 */
import { EngineError } from '@slipway/errors';
import type { ContainerStatus } from './runtime.ts';

export type LifecycleOperation = 'start' | 'kill' | 'pause' | 'resume' | 'exec' | 'update' | 'delete';

/**
 * From which states each operation is allowed. This table is the whole rule: code asks
 * {@link requireAllowed} and does not compare states itself.
 */
export const ALLOWED_FROM = {
  start: ['created'], // @spec runtime-spec/runtime.md#start
  kill: ['created', 'running', 'paused'], // @spec runtime-spec/runtime.md#kill
  pause: ['running'],
  resume: ['paused'],
  exec: ['created', 'running'],
  update: ['created', 'running', 'paused'],
  delete: ['stopped'], // @spec runtime-spec/runtime.md#delete; `force` kills first, it does not skip this
} as const satisfies Record<LifecycleOperation, readonly ContainerStatus[]>;

/** @throws EngineError `failed-precondition` / `E_CONTAINER_STATE`, its cause the status; the container is untouched */
export function requireAllowed(id: string, op: LifecycleOperation, status: ContainerStatus): void {
  const allowed: readonly ContainerStatus[] = ALLOWED_FROM[op];
  if (allowed.includes(status)) return;
  throw new EngineError('failed-precondition', `cannot ${op}: container is ${status}, needs to be ${allowed.join(' or ')}`, {
    code: 'E_CONTAINER_STATE',
    op: `container.${op}`,
    subject: id,
    cause: status,
  });
}
