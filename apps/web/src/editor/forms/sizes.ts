/**
 * Sizes as people write them: `64m`, `1.5 GiB`, plain bytes, `unlimited`.
 *
 * Knows: powers of 1024, as docker and the kernel's files count. Pure. Does not know: which size is allowed where.
 */

const UNITS = ['', 'k', 'm', 'g', 't'];

/** Bytes; -1 for `unlimited`. Undefined for anything that is no size. */
export function parseSize(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === 'unlimited' || trimmed === '-1') return -1;
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/.exec(trimmed) ?? [];
  if (digits === '') return undefined;
  return Math.floor(Number(digits) * 1024 ** UNITS.indexOf(unit));
}

/** The shortest exact spelling: 67108864 → `64m`, 1000 → `1000`. */
export function formatSize(bytes: number): string {
  if (bytes < 0) return 'unlimited';
  let power = 0;
  while (power < UNITS.length - 1 && bytes > 0 && bytes % 1024 ** (power + 1) === 0) power += 1;
  return `${bytes / 1024 ** power}${UNITS[power] ?? ''}`;
}
