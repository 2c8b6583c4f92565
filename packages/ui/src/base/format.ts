/**
 * Numbers and names as a person reads them.
 *
 * Knows: units, how many digits are worth showing, how to shorten an id in the middle. Pure.
 * Does not know: what is being measured.
 */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `84 MiB`, `1.5 KiB`: two or three digits. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '∞';
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 || Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : trimZero(value.toFixed(1));
  return `${text} ${BYTE_UNITS[unit] ?? 'B'}`;
}

/** A duration given in milliseconds, in the unit that gives two or three digits: `840 µs`, `3.1 ms`, `1.2 s`, `4 min`. */
export function formatDuration(ms: number): string {
  const size = Math.abs(ms);
  if (size === 0) return '0 s';
  if (size < 0.9995) return `${Math.round(ms * 1000)} µs`;
  if (size < 9.95) return `${trimZero(ms.toFixed(1))} ms`;
  if (size < 999.5) return `${ms.toFixed(0)} ms`;
  if (size < 9950) return `${trimZero((ms / 1000).toFixed(1))} s`;
  if (size < 99_500) return `${(ms / 1000).toFixed(0)} s`;
  if (size < 5_970_000) return `${(ms / 60_000).toFixed(0)} min`;
  return `${trimZero((ms / 3_600_000).toFixed(1))} h`;
}

/** How long ago: `just now`, `0.8 s ago`, `4 min ago`. */
export function formatAgo(ms: number): string {
  if (ms < 100) return 'just now';
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s ago`;
  return `${formatDuration(ms)} ago`;
}

/** `00:41`, `12:07`, `1:02:03`: a position on the timeline. */
export function formatClock(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = String(Math.floor((total % 3600) / 60)).padStart(2, '0');
  const seconds = String(total % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${minutes}:${seconds}` : `${minutes}:${seconds}`;
}

/** Keeps both ends of a long id: `3f2a9c…81d0`. Short ones stay whole. */
export function shortenId(id: string, head = 6, tail = 4): string {
  return id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`;
}

/** `12 %`, `0.4 %`: a share of one, as per cent. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent !== 0 && Math.abs(percent) < 9.95 ? trimZero(percent.toFixed(1)) : percent.toFixed(0)} %`;
}

/** A command line as it would be typed, with quotes where the shell needs them. */
export function formatCommand(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** `1 process`, `3 processes`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Control characters of untrusted strings, made visible and harmless. */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, (char) =>
    char <= '\u001f' ? String.fromCodePoint(0x2400 + char.charCodeAt(0)) : '\ufffd',
  );
}

/** As {@link visible}, of text whose lines and columns are wanted. */
export function visibleLines(text: string): string {
  return text
    .split('\n')
    .map((line) => visible(line.replaceAll('\t', '  ')))
    .join('\n');
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
