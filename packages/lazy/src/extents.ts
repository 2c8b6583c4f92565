/**
 * Which bytes of a blob are here.
 *
 * Knows: half-open ranges, joined where they touch.
 * Does not know: where the bytes are.
 */

export interface Range {
  readonly start: number;
  /** First byte that is not part of it. */
  readonly end: number;
}

export class Extents {
  /** Ascending, apart from each other. */
  #ranges: Range[] = [];
  #bytes = 0;

  /** How many bytes there are. */
  get bytes(): number {
    return this.#bytes;
  }

  add({ start, end }: Range): void {
    if (end <= start) return;
    const before = this.#ranges.filter((range) => range.end < start);
    const after = this.#ranges.filter((range) => range.start > end);
    const touched = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const joined = { start: Math.min(start, touched[0]?.start ?? start), end: Math.max(end, touched.at(-1)?.end ?? end) };
    this.#ranges = [...before, joined, ...after];
    this.#bytes = this.#ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  }

  /** Forgets a range: what is there turned out to be wrong. */
  drop({ start, end }: Range): void {
    const ranges = this.#ranges.flatMap((range) => [
      { start: range.start, end: Math.min(range.end, start) },
      { start: Math.max(range.start, end), end: range.end },
    ]);
    this.#ranges = [];
    for (const range of ranges) this.add(range);
    this.#bytes = this.#ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  }

  /** The parts of a range that are missing, ascending. */
  missing({ start, end }: Range): Range[] {
    const gaps: Range[] = [];
    let at = start;
    for (const range of this.#ranges) {
      if (range.end <= at) continue;
      if (range.start >= end) break;
      if (range.start > at) gaps.push({ start: at, end: range.start });
      at = range.end;
    }
    if (at < end) gaps.push({ start: at, end });
    return gaps;
  }

  has(range: Range): boolean {
    return this.missing(range).length === 0;
  }
}
