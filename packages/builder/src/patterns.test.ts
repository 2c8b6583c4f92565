import { expect, test } from 'vitest';
import { parseDockerignore, toMatcher } from './patterns.ts';

test.each([
  ['*.go', 'a.go', true],
  ['*.go', 'd/a.go', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['\\*x', '*x', true],
  ['\\*x', 'ax', false],
  ['**/x', 'x', true],
  ['**/x', 'a/b/x', true],
  ['a/**', 'a/b/c', true],
  ['a.b', 'axb', false],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'a/xb', false],
  ['**/*.ts', 'a/b/c.ts', true],
  ['a**b', 'ax/yb', true],
  ['*', 'a/b', false],
  ['[]x]', ']', true],
  ['[a\\-]', '-', true],
  ['[^/]', 'x', true],
  ['?', '\u{1F40B}', true],
])('%s and %s: %s', (pattern, path, fits) => {
  expect(toMatcher(pattern)(path)).toBe(fits);
});

test('the last rule that fits wins, and a rule about a directory is one about what is in it', () => {
  const ignored = parseDockerignore('# nothing\n\ndocs\n!docs/keep.md\n/*.tmp\n./a//b/\n');
  const paths = ['docs', 'docs/x', 'docs/keep.md', 'x.tmp', 'd/x.tmp', 'a/b/c', 'a'];
  expect(paths.filter(ignored)).toEqual(['docs', 'docs/x', 'x.tmp', 'a/b/c']);
});

test('a pattern that is none is refused', () => {
  expect(() => toMatcher('[a')).toThrow(SyntaxError);
  expect(() => toMatcher('[z-a]')).toThrow(SyntaxError);
});

test('a .dockerignore that is none is refused, and not half believed', () => {
  const refusal = expect.objectContaining({ code: 'E_BUILD_CONTEXT', message: expect.stringContaining('.dockerignore: ') });
  expect(() => parseDockerignore('ok\n[a')).toThrow(refusal);
  expect(() => parseDockerignore('x\n'.repeat(1001))).toThrow(refusal);
});

test('once, eight stars and sixty characters kept the engine busy for half a minute', () => {
  expect(toMatcher(`${'*a'.repeat(60)}b`)('a'.repeat(4000))).toBe(false);
  expect(parseDockerignore(`${'**/'.repeat(60)}x`)('a/'.repeat(500))).toBe(false);
});
