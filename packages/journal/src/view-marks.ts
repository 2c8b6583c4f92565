/**
 * "What changed in the last seconds, and why", as every picture marks it.
 *
 * Knows: how long a change stays marked.
 * Does not know: how a mark is drawn.
 */
import type { Cause, Life } from './world.ts';

export interface Mark {
  readonly change: 'appeared' | 'gone' | 'changed';
  readonly atMs: number;
  /** Before `nowMs`, never negative. */
  readonly agoMs: number;
  readonly by?: Cause;
}

/** How long an appearance stays marked. */
export const MARK_MS = 5000;

/** The mark of a thing that came or went; undefined when nothing about it is recent. */
export function markOf(life: Life, nowMs: number): Mark | undefined {
  if (life.goneAtMs !== undefined) return mark('gone', life.goneAtMs, nowMs, life.goneBy);
  if (life.appearedAtMs > 0 && nowMs - life.appearedAtMs <= MARK_MS) return mark('appeared', life.appearedAtMs, nowMs, life.appearedBy);
  return undefined;
}

function mark(change: Mark['change'], atMs: number, nowMs: number, by: Cause | undefined): Mark {
  return { change, atMs, agoMs: Math.max(0, nowMs - atMs), ...(by && { by }) };
}
