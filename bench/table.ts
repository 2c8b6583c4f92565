/**
 * Samples as the lines of a table: median, 95th percentile, ratio to the first line.
 *
 * Knows: numbers and columns.
 * Does not know: what was measured.
 */

/** Milliseconds by name, in the order in which names came. */
export class Samples {
  readonly #values = new Map<string, number[]>();

  add(name: string, ms: number): void {
    const values = this.#values.get(name) ?? [];
    values.push(ms);
    this.#values.set(name, values);
  }

  /** Undefined when nothing of that name was measured. */
  median(name: string): number | undefined {
    const values = this.#values.get(name);
    return values && quantile(values, 0.5);
  }

  /** One line each; ratios are to the median of `reference`. */
  format(reference: string): string {
    const base = this.median(reference) ?? Number.NaN;
    const rows = [...this.#values].map(([name, values]) => {
      const median = quantile(values, 0.5);
      return [name, ms(median), ms(quantile(values, 0.95)), (median / base).toFixed(1), String(values.length)];
    });
    return formatTable(['', 'median', 'p95', '× floor', 'n'], rows);
  }
}

/** Text columns: the first flush left, the others flush right. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ');
  return all.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** One sentence about a target. `unit` follows both numbers. */
export function formatTarget(what: string, value: number | undefined, bound: string, holds: (value: number) => boolean): string {
  if (value === undefined) return `  –  ${what}: not measured\n`;
  return `  ${holds(value) ? 'ok' : 'NO'} ${what}: ${value.toFixed(value < 100 ? 1 : 0)} (wanted: ${bound})\n`;
}

/** The value that so large a part of them does not exceed; NaN of none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 1)} ms`;
}
