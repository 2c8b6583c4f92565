/**
 * Cuts a stream of chunks into lines, with a bound on how much of an unfinished line is held.
 *
 * Knows: newline bytes, UTF-8 across chunk borders.
 * Does not know: what a line means.
 */

export interface LineSplitter {
  /** Calls `onLine` for every finished line; an over-long line is reported once, as `undefined`, and skipped to its end. */
  push(chunk: string | Uint8Array): void;
  /** The stream is over: hands out what stands after the last newline. */
  end(): void;
}

export function createLineSplitter(limit: number, onLine: (line: string | undefined) => void): LineSplitter {
  const decoder = new TextDecoder();
  let held = '';
  let skipping = false;

  const take = (text: string): void => {
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      finish(held + text.slice(from, at));
      from = at + 1;
    }
    held += text.slice(from);
    if (held.length > limit) {
      held = '';
      if (!skipping) onLine(undefined);
      skipping = true;
    }
  };

  const finish = (line: string): void => {
    held = '';
    if (skipping) skipping = false;
    else if (line.length > limit) onLine(undefined);
    else if (line.trim() !== '') onLine(line);
  };

  return {
    push: (chunk) => take(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })),
    end: () => {
      take(decoder.decode());
      if (held !== '' || skipping) finish(held);
    },
  };
}
