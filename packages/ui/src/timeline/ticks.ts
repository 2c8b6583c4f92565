/**
 * Which moments the timeline's axis names.
 *
 * Knows: how much room a clock text takes, and that two must never touch. Pure.
 * Does not know: the track.
 */
import { axisTicks, type TimeWindow } from '../calls/layout.ts';

const MOST = 8;
const HOUR_MS = 3_600_000;

/** Pixels of a text with its line and some air; hours make it longer. */
function room(toMs: number): number {
  return toMs >= HOUR_MS ? 72 : 52;
}

/** Round moments within the window, at most {@link MOST}, each with room for its text in `width` pixels. */
export function clockTicks(window: TimeWindow, width: number): readonly number[] {
  const count = Math.min(MOST, Math.floor(width / room(window.toMs)));
  // Below a second two ticks would carry the same text.
  const fitting = count < 1 ? [] : axisTicks(window, Math.min(count, Math.max(1, (window.toMs - window.fromMs) / 1000)));
  // What begins within the last text's room of the right edge would be cut.
  const perMs = width / Math.max(window.toMs - window.fromMs, 1);
  return fitting.filter((tick) => (window.toMs - tick) * perMs >= room(window.toMs) - 12);
}
