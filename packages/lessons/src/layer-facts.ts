/**
 * What a check can ask about stacked directories: overlays mounted by hand, and what engines have on the disk.
 *
 * Knows: that each picture of overlays replaces the one before, and each engine's account of its disk the same engine's.
 * Does not know: which lab asks.
 */
import type { DiskFact, OverlayMount } from '@slipway/journal/types';
import type { CheckView } from './types.ts';

/** Overlays that somebody mounted by hand and that are there now. */
export function overlaysNow(view: CheckView): readonly OverlayMount[] {
  const picture = view.events.findLast((event) => event.type === 'overlays');
  return picture?.type === 'overlays' ? picture.mounts : [];
}

/** What each engine in the machine measured last, by the root of its directories. */
export function disksNow(view: CheckView): readonly DiskFact[] {
  const last = new Map<string, DiskFact>();
  for (const event of view.events) if (event.type === 'disk') last.set(event.disk.root, event.disk);
  return [...last.values()];
}
