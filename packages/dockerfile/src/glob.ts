/**
 * What a pattern of wildcards matches, in time that grows with pattern and text and never faster: patterns come from strangers, and what tries
 * one star after the other can take years for forty characters.
 *
 * Knows: the places in a text that a match may end at.
 * Does not know: how patterns are written.
 */

export type GlobPiece =
  /** One character. */
  | { readonly type: 'one'; readonly fits: (char: string) => boolean }
  /** Any number of them. */
  | { readonly type: 'many'; readonly fits: (char: string) => boolean }
  /** Nothing, or anything that ends with a slash. */
  | { readonly type: 'directories' };

export const anything = (): boolean => true;

export function exactly(wanted: string): GlobPiece {
  return { type: 'one', fits: (char) => char === wanted };
}

/** Whether a match that begins at `from` may end before the character of each index, and at the very end. */
export function matchEnds(chars: readonly string[], pieces: readonly GlobPiece[], from = 0): readonly boolean[] {
  let ends = Array.from({ length: chars.length + 1 }, (_, at) => at === from);
  for (const piece of pieces) {
    ends = ADVANCE[piece.type](ends, chars, piece);
    if (!ends.includes(true)) break;
  }
  return ends;
}

/** True when the whole text is one match. */
export function matchesGlob(text: string, pieces: readonly GlobPiece[]): boolean {
  return matchEnds([...text], pieces).at(-1) === true;
}

type Advance = (ends: readonly boolean[], chars: readonly string[], piece: GlobPiece) => boolean[];

const ADVANCE: Readonly<Record<GlobPiece['type'], Advance>> = {
  one: (ends, chars, piece) => ends.map((_, at) => at > 0 && ends[at - 1] === true && fitsAt(piece, chars, at)),
  many: (ends, chars, piece) => {
    let isIn = false;
    return ends.map((isEnd, at) => {
      isIn = isEnd || (isIn && fitsAt(piece, chars, at));
      return isIn;
    });
  },
  directories: (ends, chars) => {
    let hasBegun = false;
    return ends.map((isEnd, at) => {
      const isBehind = hasBegun && chars[at - 1] === '/';
      hasBegun ||= isEnd;
      return isEnd || isBehind;
    });
  },
};

/** The character before a place. */
function fitsAt(piece: GlobPiece, chars: readonly string[], at: number): boolean {
  return piece.type !== 'directories' && piece.fits(chars[at - 1] ?? '');
}
