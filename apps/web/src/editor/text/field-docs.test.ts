import { expect, test } from 'vitest';
import { fieldSchema, unknownFields } from './field-docs.ts';

const SCHEMA = {
  properties: {
    process: { properties: { args: { items: { description: 'One argument.' } } } },
    annotations: { additionalProperties: { description: 'Any text.' } },
  },
};

test('a pointer finds its field through objects, arrays and maps', () => {
  expect(fieldSchema(SCHEMA, '/process/args/3')?.description).toBe('One argument.');
  expect(fieldSchema(SCHEMA, '/annotations/a~1b')?.description).toBe('Any text.');
  expect(fieldSchema(SCHEMA, '/process/arg')).toBeUndefined();
  expect(fieldSchema(SCHEMA, '/process/toString')).toBeUndefined();
});

test('misspelt fields are found, and nothing below values of free shape', () => {
  expect(unknownFields(SCHEMA, { proces: {}, process: { args: ['x'], argv: 1 }, annotations: { anything: 'x' } })).toEqual([
    '/proces',
    '/process/argv',
  ]);
  expect(unknownFields(SCHEMA, null)).toEqual([]);
});
