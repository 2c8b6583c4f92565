/**
 * The container's life as a table: which verb is allowed in which status.
 *
 * Knows: the rules, in one place.
 * Does not know: how a verb is carried out.
 *
 *     created ──start──▶ running ◀──unpause── paused
 *        ▲                 │ │ ───pause─────────▲
 *        │                 ▼ (its process ends)
 *        └ (start fails)  exited ──start──▶ running
 */
import { EngineError } from '@slipway/errors';
import type { ContainerStatus } from './container.ts';

export type Verb = 'start' | 'stop' | 'kill' | 'pause' | 'unpause' | 'exec' | 'top' | 'resize' | 'update' | 'remove';

/** `yes`: do it. `done`: the wish is already true. `no`: refuse. */
type Answer = 'yes' | 'done' | 'no';

const RULES: Readonly<Record<Verb, Readonly<Record<ContainerStatus, Answer>>>> = {
  start: { created: 'yes', running: 'done', paused: 'no', exited: 'yes', removing: 'no', dead: 'no' },
  stop: { created: 'done', running: 'yes', paused: 'yes', exited: 'done', removing: 'no', dead: 'done' },
  kill: { created: 'no', running: 'yes', paused: 'yes', exited: 'no', removing: 'no', dead: 'no' },
  pause: { created: 'no', running: 'yes', paused: 'no', exited: 'no', removing: 'no', dead: 'no' },
  unpause: { created: 'no', running: 'no', paused: 'yes', exited: 'no', removing: 'no', dead: 'no' },
  exec: { created: 'no', running: 'yes', paused: 'no', exited: 'no', removing: 'no', dead: 'no' },
  top: { created: 'no', running: 'yes', paused: 'yes', exited: 'no', removing: 'no', dead: 'no' },
  resize: { created: 'no', running: 'yes', paused: 'yes', exited: 'no', removing: 'no', dead: 'no' },
  update: { created: 'yes', running: 'yes', paused: 'yes', exited: 'yes', removing: 'no', dead: 'no' },
  remove: { created: 'yes', running: 'no', paused: 'no', exited: 'yes', removing: 'no', dead: 'yes' },
};

const NEEDS: Readonly<Record<Verb, string>> = {
  start: 'needs to be created or exited',
  stop: 'needs to be running',
  kill: 'is not running',
  pause: 'needs to be running',
  unpause: 'is not paused',
  exec: 'is not running',
  top: 'is not running',
  resize: 'is not running',
  update: 'cannot be changed any more',
  remove: 'must be stopped first',
};

/**
 * Whether there is anything to do: true to go on, false when the container is already as asked.
 *
 * @throws EngineError failed-precondition / E_CONTAINER_STATUS when the verb makes no sense in this status
 */
export function requireAllowed(container: { readonly id: string; readonly status: ContainerStatus }, verb: Verb): boolean {
  const answer = RULES[verb][container.status];
  if (answer !== 'no') return answer === 'yes';
  const short = container.id.slice(0, 12);
  throw new EngineError('failed-precondition', `cannot ${verb} container ${short}: ${why(verb, container.status)}`, {
    code: 'E_CONTAINER_STATUS',
    op: `container.${verb}`,
    subject: container.id,
    ...hintFor(verb, container.status),
  });
}

/** `paused` explains itself; of the others people want to know what would be right. */
function why(verb: Verb, status: ContainerStatus): string {
  return status === 'paused' ? 'it is paused' : `it is ${status} and ${NEEDS[verb]}`;
}

function hintFor(verb: Verb, status: ContainerStatus): { readonly hint?: string } {
  if (verb === 'remove' && status !== 'removing') return { hint: 'stop the container before removing it, or force the removal' };
  if (status === 'paused') return { hint: 'unpause the container first' };
  return {};
}
