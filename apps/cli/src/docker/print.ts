/**
 * Tables, times and sizes as docker prints them.
 *
 * Knows: column widths and "3 minutes ago".
 * Does not know: where rows come from.
 */

/** Columns padded to the widest cell, three blanks between. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)) + 3);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('')
      .trimEnd();
  return `${[header, ...rows].map(line).join('\n')}\n`;
}

const UNITS = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** `About a minute`, `5 seconds`, `3 weeks`. */
export function duration(seconds: number): string {
  if (seconds < 1) return 'Less than a second';
  if (seconds < 60) return plural(Math.floor(seconds), 'second');
  if (seconds < 120) return 'About a minute';
  if (seconds >= 3_600 && seconds < 7_200) return 'About an hour';
  const [unit, size] = UNITS.find(([, length]) => seconds >= 2 * length) ?? ['minute', 60];
  return plural(Math.floor(seconds / size), unit);
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** Decimal units, as docker's image sizes. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}

export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** Control characters could drive the terminal; a container chose these bytes. */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}
