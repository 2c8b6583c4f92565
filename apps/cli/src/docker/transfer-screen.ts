/**
 * The engine's messages about a pull or push: on a terminal one line for each layer, drawn anew; elsewhere each stage once.
 *
 * Knows: docker's messages.
 * Does not know: where they come from.
 */
import { DaemonError } from './daemon.ts';
import { printable } from './print.ts';

interface Message {
  readonly id?: string;
  readonly status?: string;
  readonly progress?: string;
  readonly error?: string;
}

export class TransferScreen {
  readonly #out: (text: string) => void;
  readonly #isTerminal: boolean;
  /** Line of each layer, counted from the first. */
  readonly #lines = new Map<string, number>();
  #below = 0;

  constructor(out: (text: string) => void, isTerminal: boolean) {
    this.#out = out;
    this.#isTerminal = isTerminal;
  }

  /** @throws DaemonError for the engine's failure */
  show(line: string): void {
    if (line.trim() === '') return;
    const { id, status, progress, error } = JSON.parse(line) as Message;
    if (error !== undefined) throw new DaemonError(500, error);
    if (status === undefined) return;
    const text = `${id === undefined ? '' : `${printable(id)}: `}${printable(status)}`;
    if (!this.#isTerminal) {
      if (progress === undefined) this.#out(`${text}\n`);
      return;
    }
    const isHead = id === undefined || /^Pulling from /.test(status);
    const known = isHead ? undefined : this.#lines.get(id);
    if (known === undefined) {
      if (!isHead) this.#lines.set(id, this.#below);
      this.#append(text);
      return;
    }
    const up = this.#below - known;
    this.#out(`\u001b[${up}A\r\u001b[2K${text}${progress === undefined ? '' : ` ${printable(progress)}`}\u001b[${up}B\r`);
  }

  #append(text: string): void {
    this.#out(`${text}\n`);
    this.#below++;
  }
}
