/**
 * File patterns of Dockerfiles and of .dockerignore.
 *
 * Knows: `*`, `?`, `[a-z]`, `\x`, `**`; and that the last line of a .dockerignore that fits wins.
 * Does not know: files.
 *
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */

import { stepError } from './failure.ts';

const MAX_PATTERNS = 10_000;

/** True for a source with wildcards. */
export function hasWildcards(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/** The whole path fits. @throws SyntaxError for a pattern that is none */
export function toMatcher(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? '';
    if (char === '*') {
      const deep = pattern[at + 1] === '*';
      if (deep) at++;
      if (deep && pattern[at + 1] === '/') {
        at++;
        source += '(?:[^/]*/)*';
      } else source += deep ? '.*' : '[^/]*';
    } else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) throw new SyntaxError(`unclosed [ in ${JSON.stringify(pattern)}`);
      const inner = pattern.slice(at + 1, end);
      source += `[${inner.startsWith('^') ? '^/' : ''}${inner.replace(/^\^/, '').replace(/[\\\]]/g, '\\$&')}]`;
      at = end;
    } else if (char === '\\') source += quoted(pattern[++at] ?? '\\');
    else source += quoted(char);
  }
  return new RegExp(`^${source}$`, 's');
}

/** As {@link toMatcher}. @throws EngineError `invalid-argument` / `E_BUILD_STEP` */
export function matcherOf(pattern: string, line: number): RegExp {
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

/** True for paths that a .dockerignore keeps out of the context. */
export function parseDockerignore(text: string): (path: string) => boolean {
  const rules = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(0, MAX_PATTERNS)
    .map((line) => {
      const keeps = line.startsWith('!');
      return { keeps, matcher: toMatcher(clean(keeps ? line.slice(1).trim() : line)) };
    });
  return (path) => {
    const parts = path.split('/');
    const prefixes = parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
    let ignored = false;
    // A rule about a directory is one about everything in it.
    for (const { keeps, matcher } of rules) if (prefixes.some((prefix) => matcher.test(prefix))) ignored = !keeps;
    return ignored;
  };
}

function clean(pattern: string): string {
  return pattern
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function quoted(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
