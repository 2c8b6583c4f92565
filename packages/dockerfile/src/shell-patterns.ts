/**
 * Patterns in variables: `${NAME#pattern}`, `##`, `%`, `%%`, `/pattern/text`, `//`.
 *
 * Knows: `*`, `?`, and what a backslash makes of the next character.
 * Does not know: variables.
 */
import { anything, exactly, type GlobPiece, matchEnds } from './glob.ts';

export type TrimModifier = '#' | '##' | '%' | '%%';

/** Longer ones are refused by who asks: replacing takes the square of it. */
export const MAX_PATTERN_VALUE = 2048;

/** `value` without the shortest (`#`, `%`) or longest (`##`, `%%`) match at its beginning or end. */
export function trimMatch(value: string, modifier: TrimModifier, pattern: string): string {
  const chars = [...value];
  const pieces = readPieces(pattern);
  const isLongest = modifier.length === 2;
  if (modifier.startsWith('#')) return chars.slice(matchLength(chars, pieces, { from: 0, isLongest })).join('');
  const length = matchLength(chars.toReversed(), pieces.toReversed(), { from: 0, isLongest });
  return chars.slice(0, chars.length - length).join('');
}

/** `value` with the first, or every, longest match replaced. */
export function replaceMatches(value: string, pattern: string, { by, isAll }: { readonly by: string; readonly isAll: boolean }): string {
  const chars = [...value];
  const pieces = readPieces(pattern);
  const parts: string[] = [];
  let at = 0;
  let isDone = false;
  while (at < chars.length) {
    const length: number = isDone ? 0 : matchLength(chars, pieces, { from: at, isLongest: true });
    parts.push(length === 0 ? (chars[at] ?? '') : by);
    isDone ||= length > 0 && !isAll;
    at += Math.max(1, length);
  }
  return parts.join('');
}

function readPieces(pattern: string): GlobPiece[] {
  return [...pattern.matchAll(/\\([\s\S])|([\s\S])/gu)].map(([, escaped, plain]): GlobPiece => {
    if (plain === '*') return { type: 'many', fits: anything };
    return plain === '?' ? { type: 'one', fits: anything } : exactly(escaped ?? plain ?? '');
  });
}

/** How many characters from `from` on match the whole pattern; 0 where none do. */
function matchLength(
  chars: readonly string[],
  pieces: readonly GlobPiece[],
  { from, isLongest }: { readonly from: number; readonly isLongest: boolean },
): number {
  const ends = matchEnds(chars, pieces, from);
  const end = isLongest ? ends.lastIndexOf(true) : ends.indexOf(true);
  return Math.max(0, end - from);
}
