/**
 * How wide an element is, for pictures that must know.
 *
 * Knows: ResizeObserver. Does not know: what the width is for.
 */
import { type RefObject, useLayoutEffect, useState } from 'react';

/** CSS pixels, whole; 0 until it is laid out. */
export function useWidth(box: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setWidth(Math.round(element.clientWidth));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [box]);
  return width;
}
