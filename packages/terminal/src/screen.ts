/**
 * What a terminal's screen looks like, kept by a headless terminal emulator, so that a page that comes late can be shown it.
 *
 * Knows: the emulator, and at which output offset its picture stands.
 * Does not know: ptys, readers. Answers of the emulator to queries are dropped: only a page in front of a human replies.
 */
import serialize from '@xterm/addon-serialize';
import headless from '@xterm/headless';
import { boundMarks } from './character-widths.ts';
import { safeCut } from './safe-cut.ts';

export interface ScreenSnapshot {
  /** Escape sequences that draw the screen and its scroll-back on a cleared terminal. */
  readonly text: string;
  /** Output offset from which bytes continue this picture. */
  readonly offset: number;
}

/** Lines above the screen that a snapshot carries. */
const SCROLLBACK_LINES = 1000;
/** A snapshot longer than this is taken again without scroll-back; a screen that is longer even so is nothing that anybody could read. */
export const MAX_SNAPSHOT_CHARS = 1024 * 1024;
const MAX_TITLE_CHARS = 200;
const MAX_COMMAND_CHARS = 1000;
/** VS Code's shell integration sequence; `E;…` announces the command line that begins. */
const SHELL_OSC = 633;
/** Links: a snapshot carries none, and the emulator would keep the address of each for as long as its line. */
const LINK_OSC = 8;

export interface ScreenEvents {
  titled(title: string): void;
  /** The shell says that this command line begins. */
  commanded(line: string): void;
}

export class Screen {
  readonly #terminal: headless.Terminal;
  readonly #serializer = new serialize.SerializeAddon();
  readonly #events: ScreenEvents;
  /** Tail of the output that ends inside a character or a sequence; not drawn yet. */
  #held: Uint8Array = new Uint8Array();
  #drawn = 0;
  #pending = 0;
  #title = '';

  constructor(size: { readonly cols: number; readonly rows: number }, events: ScreenEvents) {
    this.#terminal = new headless.Terminal({ ...size, scrollback: SCROLLBACK_LINES, allowProposedApi: true, logLevel: 'off' });
    this.#terminal.loadAddon(this.#serializer);
    this.#events = events;
    boundMarks(this.#terminal);
    this.#terminal.parser.registerOscHandler(LINK_OSC, () => true);
    this.#terminal.parser.registerOscHandler(SHELL_OSC, (text) => this.#hearShell(text));
    this.#terminal.onTitleChange((title) => this.#retitle(title));
  }

  /** Bytes given but not yet interpreted; the pty is paused when this grows. */
  get pendingBytes(): number {
    return this.#pending;
  }

  /** @param drawn called when these bytes have been interpreted */
  write(bytes: Uint8Array, drawn: () => void): void {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const cut = safeCut(all);
    this.#held = all.slice(cut);
    const ready = all.subarray(0, cut);
    this.#pending += ready.length;
    this.#terminal.write(ready, () => {
      this.#pending -= ready.length;
      this.#drawn += ready.length;
      drawn();
    });
  }

  resize(cols: number, rows: number): void {
    this.#terminal.resize(cols, rows);
  }

  /** The screen after everything written so far. */
  snapshot(): Promise<ScreenSnapshot> {
    return new Promise((resolve) => {
      this.#terminal.write('', () => resolve({ text: this.#serialize(), offset: this.#drawn }));
    });
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #serialize(): string {
    for (const scrollback of [SCROLLBACK_LINES, 0]) {
      const text = this.#serializer.serialize({ scrollback });
      if (text.length <= MAX_SNAPSHOT_CHARS) return text;
    }
    return '';
  }

  #hearShell(text: string): boolean {
    // The machine's shell sends what `history 1` prints, so a number stands first.
    const line = text.startsWith('E;') ? oneLine(text.slice(2, 2 + MAX_COMMAND_CHARS), MAX_COMMAND_CHARS).replace(/^\s*\d+\*?\s+/, '') : '';
    if (line !== '') this.#events.commanded(line);
    return true;
  }

  /** Titles come from programs: one bounded line without control characters. */
  #retitle(raw: string): void {
    const title = oneLine(raw, MAX_TITLE_CHARS);
    if (title === this.#title) return;
    this.#title = title;
    this.#events.titled(title);
  }
}

function oneLine(raw: string, maxChars: number): string {
  return raw.slice(0, maxChars).replace(/[\p{Cc}\p{Cf}]/gu, '');
}
