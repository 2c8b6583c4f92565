/**
 * Which rows of a long list are on the screen.
 *
 * Knows: rows of one height in a scrolling box. Does not know: what a row draws.
 */
import { type RefObject, useEffect, useState } from 'react';

export interface RowRange {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Up to so many rows are all drawn: the browser's own search and assistive technology then find every one. */
const WHOLE_ROWS = 120;

/** Rows in view, with some to spare on both sides. Pure. */
export function visibleRows(view: { readonly top: number; readonly height: number }, rowHeight: number, count: number): RowRange {
  if (count <= WHOLE_ROWS) return { from: 0, to: count };
  const spare = 12;
  const from = Math.max(0, Math.floor(view.top / rowHeight) - spare);
  const to = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + spare);
  return { from: Math.min(from, to), to };
}

/** Follows the box's scrolling and size, once a frame at most. */
export function useVisibleRows(box: RefObject<HTMLElement | null>, rowHeight: number, count: number): RowRange {
  const [view, setView] = useState({ top: 0, height: 900 });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let frame = 0;
    const measure = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        const next = { top: element.scrollTop, height: element.clientHeight };
        setView((before) => (before.top === next.top && before.height === next.height ? before : next));
      });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [box]);
  return visibleRows(view, rowHeight, count);
}
