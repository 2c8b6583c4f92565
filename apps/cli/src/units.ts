/**
 * Sizes and spans of time as people type them.
 *
 * Knows: their spelling, which is Go's.
 * Does not know: what they are for. Pure.
 */

/** `64m`, `1.5GiB`, `4096`. Undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  if (digits === '') return undefined;
  const power = ['', 'k', 'm', 'g', 't', 'p'].indexOf(unit.toLowerCase().replace('b', ''));
  return Math.floor(Number(digits) * 1024 ** power);
}

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `5s`, `1m30s`, `250ms` in milliseconds. Undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g;
  if (text === '' || text.replace(PART, '') !== '') return undefined;
  return [...text.matchAll(PART)].reduce((sum, [, number, unit = '']) => sum + Number(number) * (UNIT_MS[unit] ?? 0), 0);
}
