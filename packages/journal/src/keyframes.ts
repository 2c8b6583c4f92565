/**
 * What of a dropped event must be remembered, and how much memory an event takes.
 *
 * Knows: which event types replace an earlier one of the same subject (facts), and which only happened (acts).
 * Does not know: the ring that asks.
 */
import type { JournalEvent } from './types.ts';

/** Events with the same key replace one another: a late reader needs only the last. Undefined for acts, which are simply gone. */
export function keyframeKey(event: JournalEvent): string | undefined {
  switch (event.type) {
    case 'epoch':
    case 'processes':
    case 'cgroups':
    case 'overlays':
      return event.type;
    case 'container':
      return `container ${event.container.id}`;
    case 'layers':
      return `layers ${event.layers.container}`;
    case 'disk':
      return `disk ${event.disk.root}`;
    case 'check':
      return `check ${event.check.lesson} ${event.check.task}`;
    default:
      return undefined;
  }
}

const OVERHEAD = 16;

/** Roughly the bytes of the event's JSON, without writing it. */
export function weighEvent(event: JournalEvent): number {
  return weigh(event);
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = OVERHEAD;
  if (Array.isArray(value)) {
    for (const item of value) sum += weigh(item);
    return sum;
  }
  for (const [key, item] of Object.entries(value)) sum += key.length + 4 + weigh(item);
  return sum;
}
