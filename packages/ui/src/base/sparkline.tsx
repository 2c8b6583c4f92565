/**
 * The last minutes of one number as a line, with its limit; a number stands until the next one is known.
 *
 * Knows: scales (d3). Does not know: what the number means.
 */
import { area, line, scaleLinear } from 'd3';
import { memo } from 'react';

export interface SparklineProps {
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
  /** Right edge, ms; the left one is `windowMs` earlier. */
  readonly nowMs: number;
  readonly windowMs?: number;
  readonly top: number;
  readonly limit?: number;
}

const WIDTH = 200;
const HEIGHT = 44;

export const Sparkline = memo(function Sparkline({ points, nowMs, windowMs = 60_000, top, limit }: SparklineProps) {
  const x = scaleLinear([nowMs - windowMs, nowMs], [0, WIDTH]);
  const y = scaleLinear([0, top], [HEIGHT - 1, 2]);
  const inView = points.filter((_, index) => (points[index + 1]?.atMs ?? nowMs) >= nowMs - windowMs);
  const last = inView.at(-1);
  const drawn = last ? [...inView, { atMs: nowMs, value: last.value }] : [];
  const path = line<(typeof drawn)[number]>(
    (point) => x(point.atMs),
    (point) => y(point.value),
  )(drawn);
  const fill = area<(typeof drawn)[number]>(
    (point) => x(point.atMs),
    HEIGHT,
    (point) => y(point.value),
  )(drawn);
  const limitY = limit !== undefined && limit <= top ? y(limit) : undefined;
  return (
    <svg className="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className="base" />
      {fill ? <path d={fill} className="area" /> : null}
      {path ? <path d={path} className="curve" /> : null}
      {limitY === undefined ? null : <line x1="0" x2={WIDTH} y1={limitY} y2={limitY} className="limit" />}
    </svg>
  );
});
