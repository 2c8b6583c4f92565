import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operationSource } from './operation-source.ts';

const vocabulary = readFileSync(new URL('./operations.ts', import.meta.url), 'utf8');
const operations = [...vocabulary.matchAll(/readonly op: '(\w+)'/g)].map(([, op = '']) => op);

test('every operation of the vocabulary has a C function, and the line is the function’s', () => {
  expect(operations.length).toBeGreaterThan(35);
  for (const op of operations) {
    const [, file = '', line = ''] = /^packages\/launcher\/(native\/\w+\.c):(\d+)$/.exec(operationSource(op) ?? '') ?? [];
    const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8').split('\n')[Number(line) - 1];
    expect(text?.replaceAll('_', '').toLowerCase()).toContain(`op${op.toLowerCase()}(`);
  }
});

test('an unknown operation has no line', () => {
  expect(operationSource('teleport')).toBeUndefined();
});
