/**
 * A line as a shell would split it: blanks, both kinds of quotes, backslashes; nothing is expanded.
 *
 * Knows: words. Does not know: what they are for. Pure.
 */
import { UsageError } from '../flags.ts';

/** @throws UsageError for a quote that does not end */
export function shellWords(line: string): readonly string[] {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== '') {
    let word = '';
    while (rest !== '' && !/^\s/.test(rest)) {
      const [piece, text] = nextPiece(rest, line);
      word += text;
      rest = rest.slice(piece.length);
    }
    words.push(word);
    rest = rest.trimStart();
  }
  return words;
}

/** As written, and what it means. */
function nextPiece(rest: string, line: string): readonly [written: string, text: string] {
  const [quoted, single, double] = /^'([^']*)'|^"((?:[^"\\]|\\.)*)"/s.exec(rest) ?? [];
  if (quoted !== undefined) return [quoted, single ?? (double ?? '').replaceAll(/\\(["\\$`])/g, '$1')];
  if (/^['"]/.test(rest)) throw new UsageError(`unterminated quote in ${JSON.stringify(line)}`);
  const [plain = rest] = /^(?:[^\s'"\\]|\\.)+/s.exec(rest) ?? [];
  return [plain, plain.replaceAll(/\\(.)/gs, '$1')];
}
