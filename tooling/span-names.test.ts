import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** `actor: 'engine', name: 'container.start'`, as every span that runs around some work begins. */
const SPAN = /\bactor: '[a-z]+', name: ['`]([a-z]+[a-z.]*[^'`]*)['`]/g;

/** The tracer looks up the line of a span's name once (packages/journal/src/tracer.ts). */
test('no two places of the sources give spans one name', () => {
  const files = globSync('{packages,apps}/*/src/**/*.ts').filter((file) => !file.includes('.test.') && !file.includes('/testing/'));
  const names = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(SPAN)].map(([, name]) => name));
  expect(names.length).toBeGreaterThan(20);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});
