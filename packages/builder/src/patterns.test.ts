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
])('%s and %s: %s', (pattern, path, fits) => {
  expect(toMatcher(pattern).test(path)).toBe(fits);
});

test('the last rule that fits wins, and a rule about a directory is one about what is in it', () => {
  const ignored = parseDockerignore('# nothing\n\ndocs\n!docs/keep.md\n/*.tmp\n./a//b/\n');
  const paths = ['docs', 'docs/x', 'docs/keep.md', 'x.tmp', 'd/x.tmp', 'a/b/c', 'a'];
  expect(paths.filter(ignored)).toEqual(['docs', 'docs/x', 'x.tmp', 'a/b/c']);
});

test('a pattern that is none is refused', () => {
  expect(() => toMatcher('[a')).toThrow(SyntaxError);
});
