/**
 * Guessing which fields the flags of a `docker run` line set, and how the guesses fared.
 *
 * Knows: JSON pointers. Pure. Does not know: docker; the machine's engine says what each flag did.
 */

export interface FlagOrigin {
  readonly flag: string;
  readonly pointers: readonly string[];
}

export interface Judged extends FlagOrigin {
  readonly guess: string;
  /** `none`: nothing was guessed. */
  readonly verdict: 'right' | 'close' | 'wrong' | 'none';
}

/** The flags of a line, as typed, up to the image; enough to ask for a guess before the machine has answered. */
export function flagsOf(line: string): readonly string[] {
  const words = line.trim().split(/\s+/);
  const start = words[0] === 'docker' ? words.slice(words[1] === 'run' || words[1] === 'create' ? 2 : 1) : words;
  const found: string[] = [];
  for (const word of start) {
    const [, flag = ''] = /^(--[a-z][a-z-]*|-[A-Za-z]+)/.exec(word) ?? [];
    if (flag !== '' && !found.includes(flag)) found.push(flag);
  }
  return found;
}

/** Right: the very field, or one above it that is no whole section; close: the same section of the document. */
export function judge(origins: readonly FlagOrigin[], guesses: Readonly<Record<string, string>>): readonly Judged[] {
  return origins.map(({ flag, pointers }) => {
    const guess = (guesses[flag] ?? '').trim();
    return { flag, pointers, guess, verdict: guess === '' ? 'none' : verdict(guess, pointers) };
  });
}

function verdict(guess: string, pointers: readonly string[]): Judged['verdict'] {
  const field = `/${guess.replace(/^\/|\/$/g, '')}`;
  if (pointers.some((pointer) => pointer === field || pointer.startsWith(`${field}/`) || field.startsWith(`${pointer}/`))) {
    return depth(field) > 1 || pointers.includes(field) ? 'right' : 'close';
  }
  const section = (pointer: string) =>
    pointer
      .split('/')
      .slice(0, depth(pointer) > 2 ? 3 : 2)
      .join('/');
  return pointers.some((pointer) => section(pointer) === section(field)) ? 'close' : 'wrong';
}

function depth(pointer: string): number {
  return pointer.split('/').length - 1;
}
