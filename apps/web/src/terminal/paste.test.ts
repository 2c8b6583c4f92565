import { expect, test } from 'vitest';
import { cleanPaste, needsConfirmation } from './paste.ts';

test('one line pastes at once, anything that would press Enter asks', () => {
  expect(['ls -la', 'ls\n', 'a\nb', 'a\rb'].map(needsConfirmation)).toEqual([false, true, true, true]);
});

test('a paste cannot smuggle in control characters', () => {
  expect(cleanPaste('a\u001b[201~\r\nrm\u0003\tb')).toBe('a[201~\nrm\tb');
});
