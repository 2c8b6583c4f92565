/**
 * File patterns of Dockerfiles and of .dockerignore.
 *
 * Knows: `*`, `?`, `[a-z]`, `\x`, `**`; and that the last line of a .dockerignore that fits wins.
 * Does not know: files.
 *
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
import { anything, exactly, type GlobPiece, matchesGlob } from '@slipway/dockerfile';
import { EngineError } from '@slipway/errors';
import { stepError } from './failure.ts';

const MAX_PATTERNS = 1000;

/** True for a source with wildcards. */
export function hasWildcards(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/** True when the whole path fits. */
export type Matcher = (path: string) => boolean;

/** @throws SyntaxError for a pattern that is none */
export function toMatcher(pattern: string): Matcher {
  const pieces = readPieces(pattern);
  return (path) => matchesGlob(path, pieces);
}

function readPieces(pattern: string): GlobPiece[] {
  return [...pattern.matchAll(PIECE)].map(([piece, escaped, inner]): GlobPiece => {
    if (piece === '**/') return { type: 'directories' };
    if (piece === '**') return { type: 'many', fits: anything };
    if (piece === '*') return { type: 'many', fits: notASlash };
    if (piece === '?') return { type: 'one', fits: notASlash };
    if (piece === '[') throw new SyntaxError(`unclosed [ in ${JSON.stringify(pattern)}`);
    return inner === undefined ? exactly(escaped ?? piece) : { type: 'one', fits: toClass(inner) };
  });
}

/** One of these at a time: `**` before a slash, stars, an escaped character, a class, any other character. */
const PIECE = /\*\*\/|\*\*|\*|\\([\s\S])|\[(\^?[\s\S][^\]]*)\]|[\s\S]/gu;

const notASlash = (char: string): boolean => char !== '/';

/** `a-z_`, or with `^` everything else but a slash. @throws SyntaxError for a range that ends before it begins */
function toClass(inner: string): (char: string) => boolean {
  const isNegated = inner.startsWith('^');
  const ranges = [...inner.slice(isNegated ? 1 : 0).matchAll(/\\?([\s\S])(?:-\\?([\s\S]))?/gu)].map(
    ([, from = '', to = from]) => [from, to] as const,
  );
  if (ranges.some(([from, to]) => from > to)) throw new SyntaxError(`[${inner}] ends before it begins`);
  const isOf = (char: string) => ranges.some(([from, to]) => from <= char && char <= to);
  return isNegated ? (char) => notASlash(char) && !isOf(char) : isOf;
}

/** As {@link toMatcher}. @throws EngineError `invalid-argument` / `E_BUILD_STEP` */
export function matcherOf(pattern: string, line: number): Matcher {
  try {
    return toMatcher(pattern);
  } catch (error) {
    throw stepError(line, error instanceof Error ? error.message : String(error));
  }
}

/** True for paths that `--exclude` leaves out: its patterns are those of a .dockerignore. */
export function parseExcludes(patterns: readonly string[], line: number): (path: string) => boolean {
  for (const pattern of patterns) matcherOf(pattern, line);
  return parseDockerignore(patterns.join('\n'));
}

/** True for paths that a .dockerignore keeps out of the context. @throws EngineError `invalid-argument` / `E_BUILD_CONTEXT` */
export function parseDockerignore(text: string): (path: string) => boolean {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length > MAX_PATTERNS) throw ignoreError(`it has more than ${MAX_PATTERNS} patterns`);
  return toRules(lines.map(readRule));
}

interface Rule {
  readonly keeps: boolean;
  readonly fits: Matcher;
}

function readRule(line: string): Rule {
  const keeps = line.startsWith('!');
  const pattern = clean(keeps ? line.slice(1).trim() : line);
  try {
    return { keeps, fits: hasWildcards(pattern) ? toMatcher(pattern) : (path) => path === pattern };
  } catch (error) {
    throw ignoreError(error instanceof Error ? error.message : String(error));
  }
}

/** The last rule that fits a path wins, and a rule about a directory is one about everything in it. */
function toRules(rules: readonly Rule[]): (path: string) => boolean {
  const found = new Map<string, number>();
  const lastFor = (path: string): number => {
    const known = found.get(path);
    if (known !== undefined) return known;
    const own = rules.findLastIndex(({ fits }) => fits(path));
    const at = path.lastIndexOf('/');
    const last = at < 0 ? own : Math.max(own, lastFor(path.slice(0, at)));
    found.set(path, last);
    return last;
  };
  return (path) => rules[lastFor(path)]?.keeps === false;
}

function ignoreError(message: string): EngineError {
  return new EngineError('invalid-argument', `.dockerignore: ${message}`, { code: 'E_BUILD_CONTEXT', op: 'build.context' });
}

function clean(pattern: string): string {
  return pattern
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}
