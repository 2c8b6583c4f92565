/**
 * Types lines into a real terminal, one after another, each when the shell is ready for it.
 *
 * Knows: what a shell's prompt looks like at the end of the output.
 * Does not know: what the lines do.
 */
import { stripVTControlCharacters } from 'node:util';
import { EngineError } from '@slipway/errors';
import { type Channel, decodeFrame } from '@slipway/terminal';
import type { LearnerLab } from '../lab/learner-lab.ts';
import type { Terminals } from '../lab/terminals.ts';
import { until } from './until.ts';

const PROMPT = /(?:^|\n)[^\n]*[#$] $/;
const PROMPT_AFTER_OUTPUT = /\n[^\n]*[#$] $/;
const ASK_STATUS = 'echo "ended with $?"';
/** The answer; the question, which the terminal echoes, has no digits. */
const STATUS = /ended with (\d+)/;
const LINE_MS = 60_000;
const SIZE = { cols: 120, rows: 40 };
const SHOWN_LINES = 6;

export class Typist {
  readonly #signal: AbortSignal;
  #channel: Channel | undefined;
  #typed = 0;
  #text = '';
  #gone = false;

  private constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Attaches to the lab's first terminal as its owner and waits for the prompt. */
  static async open(terminals: Terminals, lab: LearnerLab, signal: AbortSignal): Promise<Typist> {
    const [terminal] = lab.terminals;
    if (terminal === undefined) throw failure('the machine has no terminal');
    const typist = new Typist(signal);
    const request = { offset: 0, role: 'owner', writer: 'solve', ...SIZE } as const;
    typist.#channel = await terminals.attach(lab.machine, terminal.id, request, {
      positioned: ({ snapshot, inputOffset }) => {
        typist.#text += snapshot ?? '';
        typist.#typed = inputOffset;
      },
      output: (frame) => typist.#take(frame),
      inputLost: () => {
        typist.#gone = true;
      },
      gone: () => {
        typist.#gone = true;
      },
    });
    await typist.#wait('the first prompt', () => PROMPT.test(stripVTControlCharacters(typist.#text)));
    return typist;
  }

  /** Types one line and Enter; resolves at the next prompt. @throws EngineError `unavailable` / `E_TYPING` */
  async line(line: string): Promise<void> {
    const from = this.#text.length;
    const bytes = Buffer.from(`${line}\r`);
    this.#channel?.type(this.#typed, bytes);
    this.#typed += bytes.length;
    await this.#wait(`the prompt after "${line}"`, () => PROMPT_AFTER_OUTPUT.test(stripVTControlCharacters(this.#text.slice(from))));
  }

  /** How the line before ended, as the shell tells it. */
  async status(): Promise<number> {
    const from = this.#text.length;
    await this.line(ASK_STATUS);
    const told = STATUS.exec(stripVTControlCharacters(this.#text.slice(from)))?.[1];
    if (told === undefined) throw failure(`the shell does not answer "${ASK_STATUS}"`);
    return Number(told);
  }

  /** What stands last on the screen. */
  lastLines(): readonly string[] {
    return stripVTControlCharacters(this.#text)
      .replaceAll('\r', '')
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-SHOWN_LINES);
  }

  close(): void {
    this.#channel?.detach();
  }

  #take(data: Uint8Array): void {
    const frame = decodeFrame(data);
    if (frame === undefined) throw failure('the terminal sent no frame');
    this.#text += Buffer.from(frame.payload).toString();
    this.#channel?.acknowledge(frame.offset + frame.payload.length);
  }

  async #wait(what: string, condition: () => boolean): Promise<void> {
    const came = await until(() => condition() || this.#gone, LINE_MS, this.#signal);
    if (this.#gone) throw failure(`the terminal is gone, ${what} did not come`);
    if (!came) throw failure(`${what} did not come within ${LINE_MS / 1000} s`);
  }
}

function failure(message: string): EngineError {
  return new EngineError('unavailable', message, { code: 'E_TYPING', op: 'lab.type' });
}
