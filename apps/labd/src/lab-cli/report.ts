/**
 * What an author's run prints: one line for each thing that was tried, at last how many passed.
 *
 * Knows: lines and counts. Does not know: what is tried.
 */
const NAME_WIDTH = 64;

export class Report {
  readonly #write: (text: string) => void;
  #passed = 0;
  #failed = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  heading(text: string): void {
    this.#write(`${text}\n`);
  }

  /** @param problems why it failed, a line each; none: it passed */
  add(name: string, ms: number, problems: readonly string[]): void {
    if (problems.length === 0) this.#passed += 1;
    else this.#failed += 1;
    const seconds = `${(ms / 1000).toFixed(1)} s`.padStart(7);
    this.#write(`  ${problems.length === 0 ? '✓' : '✗'} ${name.padEnd(NAME_WIDTH)}${seconds}\n`);
    for (const problem of problems) this.#write(`      ${problem}\n`);
  }

  /** @returns the exit code */
  end(): number {
    this.#write(`${this.#passed} passed, ${this.#failed} failed\n`);
    return this.#failed === 0 && this.#passed > 0 ? 0 : 1;
  }
}
