/**
 * The call chain laid out: a flame of rectangles, and a sequence of rows with long runs of operations folded.
 *
 * Knows: rows of journal's callChain (milliseconds and depths). Pure.
 * Does not know: pixels beyond 0 … 1 across; colours.
 */
import type { CallChain, CallRow } from '@slipway/journal';

export interface FlameBox {
  readonly row: CallRow;
  /** 0 … 1 within the shown window, cut at its edges. */
  readonly left: number;
  readonly width: number;
}

export interface TimeWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Boxes in the window; those narrower than `minWidth` (0 … 1) are kept, since every hop must be findable, but merged into their neighbour when equal. */
export function flameBoxes(chain: CallChain, window: TimeWindow, minWidth: number): readonly FlameBox[] {
  const length = Math.max(window.toMs - window.fromMs, 1e-6);
  const boxes: FlameBox[] = [];
  const lastEnd = new Map<number, number>();
  for (const row of chain.rows) {
    const from = Math.max(row.offsetMs, window.fromMs);
    const to = Math.min(row.offsetMs + row.durationMs, window.toMs);
    if (to < from || row.offsetMs > window.toMs) continue;
    const left = (from - window.fromMs) / length;
    const width = Math.max((to - from) / length, minWidth);
    const reached = lastEnd.get(row.depth) ?? -1;
    // Several boxes on one pixel would only hide one another: the first stands for them, zooming in shows all.
    if (left + width <= reached + minWidth * 0.5 && (to - from) / length < minWidth) continue;
    lastEnd.set(row.depth, left + width);
    boxes.push({ row, left, width: Math.min(width, 1 - left + minWidth) });
  }
  return boxes;
}

export type SequenceRow =
  | { readonly kind: 'call'; readonly row: CallRow; readonly foldable: number; readonly folded: boolean }
  | { readonly kind: 'more'; readonly parent: string; readonly count: number };

/** Launcher operations come in dozens: below this many they are shown at once. */
const FOLD_FROM = 12;

/** Rows in calling order. Children of a span with very many leaves are folded until opened. */
export function sequenceRows(chain: CallChain, open: ReadonlySet<string>, filter: string): readonly SequenceRow[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted !== '') {
    return chain.rows.filter((row) => matches(row, wanted)).map((row) => ({ kind: 'call', row, foldable: 0, folded: false }));
  }
  const counts = new Map<string, number>();
  for (const { span } of chain.rows)
    if (span.parent !== undefined && span.operation) counts.set(span.parent, (counts.get(span.parent) ?? 0) + 1);
  const isFolded = (id: string | undefined) => id !== undefined && (counts.get(id) ?? 0) >= FOLD_FROM && !open.has(id);
  const rows: SequenceRow[] = [];
  for (const row of chain.rows) {
    if (row.span.operation && isFolded(row.span.parent)) continue;
    const foldable = counts.get(row.span.id) ?? 0;
    const large = foldable >= FOLD_FROM;
    rows.push({ kind: 'call', row, foldable: large ? foldable : 0, folded: large && !open.has(row.span.id) });
    if (large && !open.has(row.span.id)) rows.push({ kind: 'more', parent: row.span.id, count: foldable });
  }
  return rows;
}

function matches({ span }: CallRow, wanted: string): boolean {
  const words = [
    span.name,
    span.actor,
    span.protocol ?? '',
    span.operation?.op ?? '',
    span.operation?.pointer ?? '',
    span.operation?.reason ?? '',
  ];
  return words.some((word) => word.toLowerCase().includes(wanted));
}

/** Round steps for a time axis: about `count` of them over `lengthMs`. */
export function axisTicks(window: TimeWindow, count: number): readonly number[] {
  const length = window.toMs - window.fromMs;
  if (!(length > 0)) return [];
  const rough = length / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(window.fromMs / step);
  const ticks: number[] = [];
  for (let index = first; index * step <= window.toMs + step * 1e-9; index += 1) ticks.push(index * step);
  return ticks;
}
