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

/** A list up to this tall is drawn whole: the browser's own search and assistive technology then find every row. */
const WHOLE_PX = 3600;
/** Drawn beyond both edges, so that scrolling does not show blanks. */
const SPARE_PX = 360;

interface RowView {
  readonly top: number;
  readonly height: number;
}

/** Rows in view, with some to spare on both sides. Pure. */
export function visibleRows(view: RowView, rowHeight: number, count: number): RowRange {
  if (count * rowHeight <= WHOLE_PX) return { from: 0, to: count };
  const spare = Math.ceil(SPARE_PX / rowHeight);
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
