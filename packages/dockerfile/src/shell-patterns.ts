/**
 * Patterns in variables: `${NAME#pattern}`, `##`, `%`, `%%`, `/pattern/text`, `//`.
 *
 * Knows: `*`, `?`, and what a backslash makes of the next character. A value is read once for each place that a match may begin at, however
 * many stars a pattern has: a stranger's Dockerfile costs no more than that.
 * Does not know: variables.
 */

export type TrimModifier = '#' | '##' | '%' | '%%';

/** Longer ones are refused by who asks: replacing takes the square of it. */
export const MAX_PATTERN_VALUE = 4096;

type Piece = { readonly type: 'any' } | { readonly type: 'one'; readonly char?: string };

/** `value` without the shortest (`#`, `%`) or longest (`##`, `%%`) match at its beginning or end. */
export function trimMatch(value: string, modifier: TrimModifier, pattern: string): string {
  const chars = [...value];
  const pieces = readPieces(pattern);
  const isLongest = modifier.length === 2;
  if (modifier.startsWith('#')) return chars.slice(matchLength(chars, pieces, { from: 0, isLongest }) ?? 0).join('');
  const length = matchLength(chars.toReversed(), pieces.toReversed(), { from: 0, isLongest }) ?? 0;
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
    const length: number = isDone ? 0 : (matchLength(chars, pieces, { from: at, isLongest: true }) ?? 0);
    parts.push(length === 0 ? (chars[at] ?? '') : by);
    isDone ||= length > 0 && !isAll;
    at += Math.max(1, length);
  }
  return parts.join('');
}

function readPieces(pattern: string): Piece[] {
  return [...pattern.matchAll(/\\([\s\S])|([\s\S])/gu)].map(([, escaped, plain]): Piece => {
    if (plain === '*') return { type: 'any' };
    return plain === '?' ? { type: 'one' } : { type: 'one', char: escaped ?? plain ?? '' };
  });
}

/** How many characters from `from` on match the whole pattern; undefined: none do. */
function matchLength(
  chars: readonly string[],
  pieces: readonly Piece[],
  { from, isLongest }: { readonly from: number; readonly isLongest: boolean },
): number | undefined {
  let found: number | undefined;
  let states = withStars(new Set([0]), pieces);
  for (let at = from; states.size > 0; at++) {
    if (states.has(pieces.length)) {
      found = at - from;
      if (!isLongest) return found;
    }
    if (at === chars.length) return found;
    states = withStars(step(states, pieces, chars[at] ?? ''), pieces);
  }
  return found;
}

/** Places in the pattern, one character later. */
function step(states: ReadonlySet<number>, pieces: readonly Piece[], char: string): Set<number> {
  const next = new Set<number>();
  for (const state of states) {
    const piece = pieces[state];
    if (piece?.type === 'any') next.add(state);
    else if (piece !== undefined && (piece.char ?? char) === char) next.add(state + 1);
  }
  return next;
}

/** A star may be nothing. */
function withStars(states: Set<number>, pieces: readonly Piece[]): Set<number> {
  for (const state of states) if (pieces[state]?.type === 'any') states.add(state + 1); // a set gives what is added meanwhile, too
  return states;
}
