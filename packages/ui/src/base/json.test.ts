import { expect, test } from 'vitest';
import { highlightJson } from './json.ts';

test('keys and values are told apart, and nothing is lost', () => {
  const tokens = highlightJson('{"Image":"busybox","n":[1,-2.5e3],"tty":false}');
  expect(tokens.map((token) => token.text).join('')).toBe(JSON.stringify({ Image: 'busybox', n: [1, -2.5e3], tty: false }, null, 2));
  expect(tokens.find((token) => token.text === '"Image"')?.kind).toBe('key');
  expect(tokens.find((token) => token.text === '"busybox"')?.kind).toBe('string');
  expect(tokens.find((token) => token.text === 'false')?.kind).toBe('word');
});

test('a key-like string inside of a value stays a value', () => {
  const tokens = highlightJson('["a\\": b"]');
  expect(tokens.filter((token) => token.kind === 'key')).toEqual([]);
});

test('what is not JSON is shown as it is, without its escape sequences', () => {
  expect(highlightJson('GET /_ping\n\u001b[2J')).toEqual([{ kind: 'plain', text: 'GET /_ping\n␛[2J' }]);
});
