/**
 * The page's few icons, drawn on a 16-pixel grid with one stroke.
 *
 * Knows: shapes. Does not know: meanings; whoever uses one gives the control its name.
 */
import type { SVGProps } from 'react';

const PATHS = {
  play: 'M5 3.2v9.6l7.5-4.8z',
  pause: 'M5 3v10M11 3v10',
  live: 'M3 3.5v9M6 3.2v9.6l7-4.8z',
  step: 'M12 3v10M4 3.5 9 8l-5 4.5z',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  cross: 'm4 4 8 8M12 4l-8 8',
  plus: 'M8 3v10M3 8h10',
  reset: 'M3.2 8a4.8 4.8 0 1 0 1.6-3.6M4.6 1.8v2.9h2.9',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.4 10.4 14 14',
  fill: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  shrink: 'M6 2.5V6H2.5M13.5 6H10V2.5M10 13.5V10h3.5M2.5 10H6v3.5',
  help: 'M6 6.2c0-2.8 4.2-2.6 4.2 0 0 1.7-2.1 1.7-2.1 3.4M8.1 12.4v.1',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1',
  moon: 'M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6Z',
  half: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM8 2.5v11M8 5h3.9M8 8h5.4M8 11h3.9',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  enter: 'M13 3.5V8H3.5M6.2 5.2 3.4 8l2.8 2.8',
  list: 'M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1',
  picture: 'M2.5 3h5v4h-5zM9.5 9h4v4h-4zM5 7v4h4.5',
  chevron: 'm6 3.5 4.5 4.5L6 12.5',
  save: 'M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.5 13.5h11',
  open: 'M2.5 12.5V3.5H6l1.5 2h6v7z',
  terminal: 'm3 4.5 3.5 3.5L3 11.5M8 12h5',
  reader: 'M8 4.2a1.2 1.2 0 1 0 0-2.4 1.2 1.2 0 0 0 0 2.4ZM2.8 5.6 8 6.6l5.2-1M8 6.6v3M8 9.6 5.6 14M8 9.6l2.4 4.4',
  info: 'M8 7v4.5M8 4.4v.1',
  book: 'M8 4C6.5 2.8 4.5 2.6 2.5 2.8v9.6c2-.2 4 0 5.5 1.2 1.5-1.2 3.5-1.4 5.5-1.2V2.8C11.5 2.6 9.5 2.8 8 4Zm0 0v9.6',
} as const;

export type IconName = keyof typeof PATHS;

/** Decorative: hidden from assistive technology. */
export function Icon({ name, size = 16, ...rest }: { readonly name: IconName; readonly size?: number } & SVGProps<SVGSVGElement>) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={name === 'play' ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      {...rest}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
